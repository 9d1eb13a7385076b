"""Analyses of the labels of a task."""
