"""Clusters, neighbours, influences and label audit of a collection, from stored features."""
