"""The catalogue database: artworks, images, labels, features and predictions, imported from finished runs."""
