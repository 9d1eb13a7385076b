"""Paths in params.yaml, relative to the project from any working folder.

Parameters, records and outputs keep paths as written; only code that opens a file resolves them here.
"""

from pathlib import Path

_project = {"folder": Path()}


def set_project(folder: Path) -> None:
    """Set the project folder; until then, paths are relative to the working folder."""
    _project["folder"] = folder


def user_path(path: str | Path) -> Path:
    """Resolve a path from params.yaml; absolute paths stay as they are."""
    return _project["folder"] / path
