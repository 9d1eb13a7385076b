"""Museum to table of objects."""
