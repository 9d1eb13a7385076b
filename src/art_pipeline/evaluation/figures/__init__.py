"""Figures as PNG bytes, one module each. The same input gives the same bytes."""
