"""Analyses of similar works."""
