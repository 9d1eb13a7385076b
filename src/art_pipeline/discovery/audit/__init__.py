"""Audit of a task's labels: records that are probably wrong, and images that are no photograph of a work."""
