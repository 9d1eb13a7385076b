"""Analyses: what is computed beside the models, such as clusters, each from a named block of params.yaml."""
