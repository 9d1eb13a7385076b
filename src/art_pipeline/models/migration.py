"""Former names of model options, so that a model stored under them still loads."""

from collections.abc import Mapping
from typing import Any

# Former key -> new key of a model's block. No former key is used again with another meaning.
RENAMED_KEYS = {
    "alter": "random_augmentation",
    "start": "start_from",
    "hidden": "hidden_units",
    "training.batch": "training.batch_size",
    "vocabulary.rounds": "vocabulary.iterations",
    "svm.most_examples": "svm.max_examples",
    "shape.cells": "shape.cell_sizes",
    "shape.root": "shape.square_root",
    "colour.cells": "colour.cell_sizes",
}
# Key -> former values and the new ones.
RENAMED_VALUES = {"training.class_weight": {"root": "square_root"}}


def migrate_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a stored model under today's names.

    >>> migrate_options({"hidden": 64, "training": {"batch": 8, "class_weight": "root"}})
    {'training': {'class_weight': 'square_root', 'batch_size': 8}, 'hidden_units': 64}
    """
    migrated = {key: dict(value) if isinstance(value, Mapping) else value for key, value in options.items()}
    for former, new in RENAMED_KEYS.items():
        block, key = _find(migrated, former)
        if key in block:
            block[new.rpartition(".")[2]] = block.pop(key)
    for name, values in RENAMED_VALUES.items():
        block, key = _find(migrated, name)
        if isinstance(block.get(key), str):
            block[key] = values.get(block[key], block[key])
    return migrated


def _find(options: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    """Return the block that holds a key, and the key within it; an empty block where there is none."""
    outer, _, key = name.rpartition(".")
    block = options.get(outer) if outer else options
    return (block if isinstance(block, dict) else {}), key
