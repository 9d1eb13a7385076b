"""All results to one page."""
