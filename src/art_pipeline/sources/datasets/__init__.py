"""Data sets in files, one layout per file."""
