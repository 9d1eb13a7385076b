"""Installed distributions (packages) and their versions."""

from importlib.metadata import PackageNotFoundError, version

# Builds that are installed in place of another one: `make setup` does so where system libraries are missing.
REPLACEMENTS = {"opencv-python": "opencv-python-headless"}


def find_distribution(name: str) -> tuple[str, str]:
    """Return name and version of an installed distribution, or of the build that is installed in its place.

    Raises:
        PackageNotFoundError: Neither is installed.
    """
    try:
        return name, version(name)
    except PackageNotFoundError:
        if name not in REPLACEMENTS:
            raise
        return REPLACEMENTS[name], version(REPLACEMENTS[name])
