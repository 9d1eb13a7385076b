"""From a museum's API to compared, explained and reproducible artwork classifiers."""

__version__ = "0.1.0"
