"""Generators of images, trained on the images of a label."""
