"""Similar works: pane of an artwork, and API."""
