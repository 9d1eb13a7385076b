"""Base class of parameter blocks: typed, closed and immutable."""

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A block of ``params.yaml``; unknown keys and invalid values are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @property
    def read_paths(self) -> tuple[str, ...]:
        """Files and folders named in this block, as written; nodes read them."""
        return ()


class OptionsByName(Options):
    """A block whose keys are names that the user chooses, with a block for each: a field for each name."""

    @property
    def read_paths(self) -> tuple[str, ...]:
        """Files and folders named in any of the blocks."""
        return tuple(path for _, block in self for path in block.read_paths)


def block_class(annotation: Any) -> type[Options] | None:
    """Return the class of a block, also of one that may be null, from the annotation of its field; None for a value."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation, *others) = (one for one in get_args(annotation) if one is not NoneType)
        if others:
            return None
    return annotation if isinstance(annotation, type) and issubclass(annotation, Options) else None


def blocks_behind(blocks: Mapping[str, Any], key: str) -> list[Any]:
    """Return the blocks that a key with dots refers to: one, or each of a block with names.

    Args:
        blocks: Blocks by name.
        key: Such as ``tasks``, ``tasks.department`` or ``download.max_side``.
    """
    name, *rest = key.split(".")
    block = blocks[name]
    if not isinstance(block, OptionsByName):
        return [block]
    return [getattr(block, rest[0])] if rest else [one for _, one in block]


def flatten(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and values; a list of blocks is a block with numbers as keys.

    >>> dict(flatten({"a": {"b": 1, "c": {}}, "d": [{"e": 2}, {"e": 3}], "f": [4]}))
    {'a.b': 1, 'a.c': {}, 'd.0.e': 2, 'd.1.e': 3, 'f': [4]}
    """
    for key, value in nested.items():
        block = value
        if isinstance(value, Sequence) and value and all(isinstance(one, Mapping) for one in value):
            block = {str(number): one for number, one in enumerate(value)}
        if isinstance(block, Mapping) and block:
            yield from flatten(block, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
