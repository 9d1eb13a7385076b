"""Background jobs: a row for each, which a page shows with its progress, and workers that run them."""
