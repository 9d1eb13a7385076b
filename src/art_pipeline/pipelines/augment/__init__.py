"""Oversampling of small training classes by augmented images."""
