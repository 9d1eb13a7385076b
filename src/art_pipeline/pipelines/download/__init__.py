"""The stage ``download``: from image URLs to standardised images."""
