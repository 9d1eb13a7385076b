"""Addresses to verified pictures, and to images of one kind."""
