"""Subset: from objects with images to a balanced, split manifest without leaks."""
