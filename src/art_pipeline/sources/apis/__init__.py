"""Museum APIs: options, client and mapping of records to columns."""
