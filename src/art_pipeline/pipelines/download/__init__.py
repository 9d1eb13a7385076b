"""Addresses to verified images, and to images of one kind."""
