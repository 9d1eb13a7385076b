"""Metrics, thresholds, significance tests, figures and the report, computed from predictions alone."""
