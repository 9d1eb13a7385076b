"""Config loader, data sets and runner for Kedro."""
