"""The stage ``scrape``: from the sources to the object table."""
