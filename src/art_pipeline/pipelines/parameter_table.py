"""The table of parameters in docs/parameters.md."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from art_pipeline.common.options import Options, block_class
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.parameters import check_parameters
from art_pipeline.sources.registry import Sources

GROUPS = ("tasks", "features", *(kind.key for kind in ANALYSES))  # blocks of named blocks


def parameter_table(parameters: Mapping[str, Any]) -> str:
    """Return a Markdown table of every parameter: key, value and meaning.

    For the second and later tasks, features and models of a kind, only parameters that differ from the first one are
    listed.

    Args:
        parameters: The content of params.yaml.
    """
    rows = ["| parameter | value | meaning |", "|---|---|---|"]
    firsts: dict[type[Options], dict[str, str]] = {}
    for name, options in _described(parameters):
        described = list(_describe("", type(options), options.model_dump(mode="json")))
        values = {key: _as_yaml(value) for key, value, _ in described}
        first = firsts.get(type(options), {})
        rows += [
            f"| `{name}{key}` | `{values[key]}` | {meaning} |"
            for key, _, meaning in described
            if values[key] != first.get(key)
        ]
        firsts.setdefault(type(options), values)
    return "\n".join(rows)


def _described(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Options]]:
    """Yield each block with its name, each source with its position, and each task and block of features."""
    blocks: Mapping[str, Options | Sources] = check_parameters(parameters)
    for name, options in blocks.items():
        if isinstance(options, Sources):
            yield from ((f"{name}.{number}", one) for number, one in enumerate(options.root))
        elif name in GROUPS:
            yield from ((f"{name}.{key}", one) for key, one in options)
        else:
            yield name, options


def _describe(path: str, kind: type[Options], values: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    meanings = _meanings(kind)
    for name in kind.model_fields:
        inner = block_class(kind.model_fields[name].annotation)
        if inner and values[name] is not None:
            yield from _describe(f"{path}.{name}", inner, values[name])
        else:
            yield f"{path}.{name}", values[name], meanings[name]


def _meanings(kind: type[Options]) -> dict[str, str]:
    """Return the descriptions in the ``Attributes`` sections of a class and its bases."""
    of_all = [_meanings_here(one) for one in reversed(kind.__mro__) if issubclass(one, Options)]
    return {name: text for meanings in of_all for name, text in meanings.items()}


def _meanings_here(kind: type[Options]) -> dict[str, str]:
    section = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in found}


def _as_yaml(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).removesuffix("\n...\n").strip()
    )
