"""Decoding and standardizing images, near-duplicates, augmentation."""
