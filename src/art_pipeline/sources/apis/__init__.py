"""Museum APIs, and the mapping of their records to columns."""
