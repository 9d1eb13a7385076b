"""Feature extractors that need no training, one per module, and the feature store."""
