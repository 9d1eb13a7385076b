"""The manner of every parameter block: typed, closed, unchangeable."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A block of ``params.yaml``: a misspelt key or a bad value is an error, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @property
    def read_paths(self) -> tuple[str, ...]:
        """Files and folders that a node reads because this block names them, as they are written here."""
        return ()


def flatten(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``{"a": {"b": 1, "c": {}}}`` to ``("a.b", 1), ("a.c", {})``: an empty block says something too."""
    for key, value in nested.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
