"""Kedro wiring: thin nodes over the library, one room a stage."""
