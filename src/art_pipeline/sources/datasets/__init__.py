"""Data sets in files, one layout a file."""
