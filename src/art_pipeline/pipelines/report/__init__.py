"""Report: results of all models on one HTML page."""
