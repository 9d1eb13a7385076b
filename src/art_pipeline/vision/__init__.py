"""Pixels to numbers: decoding, key points, visual words, near-duplicates."""
