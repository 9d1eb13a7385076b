"""Kedro's config loader, data sets and runner, as this project needs them."""
