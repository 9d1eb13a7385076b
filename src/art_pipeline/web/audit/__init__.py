"""Findings of audits, as a source of the review queue."""
