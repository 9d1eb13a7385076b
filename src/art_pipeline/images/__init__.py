"""Decoding and standardization of images, near-duplicates, augmentation."""
