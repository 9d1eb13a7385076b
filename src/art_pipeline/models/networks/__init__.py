"""Convolutional networks: what they share, and one architecture per module."""
