"""SIFT descriptors of the images, shared by all bag-of-words models."""
