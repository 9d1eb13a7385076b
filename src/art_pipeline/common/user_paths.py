"""Paths that a user writes into params.yaml: relative to the project, from any working folder.

Parameters, records and outputs keep a path as it is written; only what opens the file asks here for its place.
"""

from pathlib import Path

_project = {"folder": Path()}


def set_project(folder: Path) -> None:
    """Set the project's folder; before that, paths are relative to the working folder."""
    _project["folder"] = folder


def user_path(path: str | Path) -> Path:
    """The place of a path from params.yaml; an absolute one is its own place."""
    return _project["folder"] / path
