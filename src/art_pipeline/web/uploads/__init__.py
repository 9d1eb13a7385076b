"""Uploaded images, and predictions for them, computed in the background."""
