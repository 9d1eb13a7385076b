"""Stages ``maps_<name>``: maps of the predictions of a model."""
