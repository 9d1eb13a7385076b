"""Predictions to numbers, figures and the report."""
