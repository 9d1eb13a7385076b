"""Comparison of generated with real images."""
