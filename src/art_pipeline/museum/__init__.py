"""Talks to a museum: asks for records and pictures, and turns answers into rows."""
