"""Pages to browse: the grid of artworks, an artwork, the models."""
