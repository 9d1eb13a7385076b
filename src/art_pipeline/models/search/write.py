"""Write the best block of a search into params.yaml, whose other lines and comments stay."""

from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import ModelError
from art_pipeline.models.search.options import SearchedOptions
from art_pipeline.models.search.search import BEST, SEARCHED, digest_of_trials

NULL = "tag:yaml.org,2002:null"
LINE = 4096  # characters, so that no line of the file is broken


def read_best(folder: Path, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the best block of a search, and where it comes from: `SearchedOptions` without the file.

    Raises:
        ModelError: The search has no result, or was continued without getting one.
    """
    file = folder / BEST
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if not content.keys() >= {model, SEARCHED}:
        raise ModelError(f"The search of {model} has no result yet. Run kedro search {model} first.")
    if content[SEARCHED]["digest"] != digest_of_trials(folder):
        raise ModelError(
            f"The search of {model} has other trials than those of its result: it was stopped before its end. Run "
            f"kedro search {model} again."
        )
    return content[model], content[SEARCHED]


def write_block(file: Path, name: str, block: Mapping[str, Any], searched: SearchedOptions) -> None:
    """Add a block at the end of params.yaml, and where it comes from to ``searched``.

    Raises:
        ModelError: There is a block of this name.
    """
    text = file.read_text(encoding="utf-8")
    if name in (yaml.safe_load(text) or {}):
        raise ModelError(f"params.yaml has a block {name} already. Choose another name.")
    added = yaml.safe_dump({name: dict(block)}, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(file, _with_origin(f"{text.rstrip()}\n\n{added}", name, searched).encode())


def write_values(file: Path, name: str, block: Mapping[str, Any], searched: SearchedOptions) -> None:
    """Change the values of a block of params.yaml that differ, and write to ``searched`` where they come from.

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
            write_atomically(file, _with_origin(changed, name, searched).encode())
            return
    raise ModelError(f"The values of {name} are shared with other blocks by anchors of params.yaml. Use --as NAME.")


def _with_origin(text: str, name: str, searched: SearchedOptions) -> str:
    """Return the text of params.yaml with ``searched.NAME``."""

    def add(content: Any) -> None:
        content[SEARCHED] = content.get(SEARCHED) or {}
        content[SEARCHED][name] = searched.model_dump()

    return _edit(text, add)


def _change(text: str, name: str, block: Mapping[str, Any], in_place: bool) -> str:
    return _edit(text, lambda content: _update(content[name], block, in_place))


def _edit(text: str, edit: Callable[[Any], None]) -> str:
    """Edit YAML; its other lines and comments stay."""
    from ruamel.yaml import YAML
    from ruamel.yaml.representer import RoundTripRepresenter

    class Representer(RoundTripRepresenter):
        """Writes null, which would be nothing."""

    Representer.add_representer(type(None), lambda one, _: one.represent_scalar(NULL, "null"))
    editor, changed = YAML(), StringIO()
    editor.Representer = Representer
    editor.preserve_quotes, editor.width = True, LINE
    editor.indent(mapping=2, sequence=4, offset=2)
    content = editor.load(text)
    _keep_anchors(content)
    edit(content)
    editor.dump(content, changed)
    return changed.getvalue()


def _keep_anchors(content: Any) -> None:
    """Keep the anchors that nothing refers to."""
    if anchor := getattr(content, "anchor", None):
        anchor.always_dump = anchor.value is not None
    for inner in content.values() if isinstance(content, Mapping) else content if isinstance(content, list) else ():
        _keep_anchors(inner)


def _update(target: Any, block: Mapping[str, Any], in_place: bool) -> None:
    for key, value in block.items():
        if in_place and isinstance(value, Mapping) and isinstance(target.get(key), Mapping):
            _update(target[key], value, in_place)
        elif target.get(key) != value:
            target[key] = value


def _merged(block: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(block[key], value) for key, value in changes.items() if isinstance(block.get(key), Mapping)}
    return {**block, **changes, **both}
