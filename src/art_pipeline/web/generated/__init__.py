"""Sheets of generated images, as a page that says what they are."""
