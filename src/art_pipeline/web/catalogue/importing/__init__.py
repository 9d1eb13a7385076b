"""The parts of an import: artworks with their labels, predictions, features."""
