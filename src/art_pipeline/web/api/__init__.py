"""Interfaces for other programs: JSON, IIIF, schema.org."""
