"""Evaluation of a model, from its predictions alone."""
