"""Clusters, maps and influences of a collection."""
