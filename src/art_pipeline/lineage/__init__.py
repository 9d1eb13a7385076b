"""Lineage: records of what each result was computed from, and what to do with them."""
