"""Figures of clusters: sheets of images, a map, and distributions."""
