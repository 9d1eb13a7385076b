"""Clusters, maps and influences, as pages."""
