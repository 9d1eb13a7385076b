"""Write the best block of a search into params.yaml, whose other lines and comments stay."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import ModelError
from art_pipeline.models.search.search import BEST

LINE = 4096  # characters, so that no line of the file is broken


def read_best(folder: Path, model: str) -> dict[str, Any]:
    """Return the best block of a search.

    Raises:
        ModelError: The search has no result.
    """
    file = folder / BEST
    if not file.is_file():
        raise ModelError(f"The search of {model} has no result yet. Run kedro search {model} first.")
    block: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))[model]
    return block


def write_block(file: Path, name: str, block: Mapping[str, Any]) -> None:
    """Add a block at the end of params.yaml.

    Raises:
        ModelError: There is a block of this name.
    """
    text = file.read_text(encoding="utf-8")
    if name in (yaml.safe_load(text) or {}):
        raise ModelError(f"params.yaml has a block {name} already. Choose another name.")
    added = yaml.safe_dump({name: dict(block)}, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(file, f"{text.rstrip()}\n\n{added}".encode())


def write_values(file: Path, name: str, block: Mapping[str, Any]) -> None:
    """Change the values of a block of params.yaml that differ.

    Where another block shares them by an anchor, the changed part becomes this block's own, without comments.

    Raises:
        ModelError: The values cannot be written without changing another block.
    """
    text = file.read_text(encoding="utf-8")
    before = yaml.safe_load(text)
    expected = before | {name: _merged(before[name], block)}
    for in_place in (True, False):
        changed = _change(text, name, expected[name], in_place)
        if yaml.safe_load(changed) == expected:
            write_atomically(file, changed.encode())
            return
    raise ModelError(f"The values of {name} are shared with other blocks by anchors of params.yaml. Use --as NAME.")


def _change(text: str, name: str, block: Mapping[str, Any], in_place: bool) -> str:
    from ruamel.yaml import YAML

    editor, changed = YAML(), StringIO()
    editor.preserve_quotes, editor.width = True, LINE
    content = editor.load(text)
    _update(content[name], block, in_place)
    editor.dump(content, changed)
    return changed.getvalue()


def _update(target: Any, block: Mapping[str, Any], in_place: bool) -> None:
    for key, value in block.items():
        if in_place and isinstance(value, Mapping) and isinstance(target.get(key), Mapping):
            _update(target[key], value, in_place)
        elif target.get(key) != value:
            target[key] = value


def _merged(block: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(block[key], value) for key, value in changes.items() if isinstance(block.get(key), Mapping)}
    return {**block, **changes, **both}
