"""Audit of a task's labels: records that are probably wrong, and images that are not photographs of a work."""
