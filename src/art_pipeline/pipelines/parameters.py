"""The whole of params.yaml as one closed class, so that any wrong key or value is named at once."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from pydantic import ValidationError, create_model

from art_pipeline.errors import ParameterError, did_you_mean
from art_pipeline.museum.options import DownloadOptions, MuseumOptions
from art_pipeline.options import Options
from art_pipeline.pipelines.model.options import EvaluateOptions
from art_pipeline.pipelines.model.wiring import MODELS
from art_pipeline.pipelines.subset.options import SubsetOptions
from art_pipeline.vision.sift import SiftOptions

STAGES = {
    "museum": MuseumOptions,
    "download": DownloadOptions,
    "subset": SubsetOptions,
    "describe": SiftOptions,
    "evaluate": EvaluateOptions,
}
BLOCKS = STAGES | {name: wiring.options for name, wiring in MODELS.items()}
Parameters = create_model("Parameters", __base__=Options, **{name: (kind, ...) for name, kind in BLOCKS.items()})


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Let parameters pass if every key is known and every value can be used.

    Raises:
        ParameterError: Names each key, what is wrong with it, and the value that it has.
    """
    try:
        Parameters.model_validate(parameters)
    except ValidationError as error:
        raise ParameterError(" ".join(["params.yaml:", *_explain_all(error.errors())])) from error


def parameter_table(parameters: Mapping[str, Any]) -> str:
    """Describe every parameter: key, value and meaning, as a Markdown table.

    Args:
        parameters: The content of params.yaml.
    """
    rows = [
        f"| `{key}` | `{_as_yaml(value)}` | {meaning} |"
        for name, kind in BLOCKS.items()
        for key, value, meaning in _describe(name, kind, parameters[name])
    ]
    return "\n".join(["| parameter | value | meaning |", "|---|---|---|", *rows])


def _describe(path: str, kind: type[Options], values: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    meanings = _meanings(kind)
    for name in kind.model_fields:
        inner = kind.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, Options):
            yield from _describe(f"{path}.{name}", inner, values[name])
        else:
            yield f"{path}.{name}", values[name], meanings[name]


def _meanings(kind: type[Options]) -> dict[str, str]:
    """What the ``Attributes`` section of a class says of each."""
    section = inspect.getdoc(kind).partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in found}


def _as_yaml(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).removesuffix("\n...\n").strip()
    )


def _explain_all(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """One sentence per key; of the kinds that a value might have been, it met none."""
    by_key: dict[str, list[Mapping[str, Any]]] = {}
    for problem in problems:
        by_key.setdefault(_key(problem["loc"]), []).append(problem)
    deepest = [key for key in by_key if not any(other.startswith(f"{key}.") for other in by_key)]
    return [_explain(key, by_key[key]) for key in sorted(deepest)]


def _key(path: Iterable[str | int]) -> str:
    """The key as it stands in params.yaml: pydantic also names the kinds that it tried."""
    parts = []
    block: type[Options] | None = Parameters
    for part in path:
        if isinstance(part, str) and block is None:
            break
        parts.append(str(part))
        block = _block(block, str(part))
    return ".".join(parts)


def _block(block: type[Options] | None, name: str) -> type[Options] | None:
    field = block.model_fields.get(name) if block else None
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, Options) else None


def _explain(key: str, problems: list[Mapping[str, Any]]) -> str:
    first = problems[0]
    if first["type"] == "extra_forbidden":
        return f"{key} is not known.{_suggest(key)}"
    if first["type"] == "missing":
        return f"{key} is missing."
    reasons = dict.fromkeys(problem["msg"].removeprefix("Value error, ") for problem in problems)
    return f"{key or 'it'} cannot be {first['input']!r}: {', or '.join(reasons)}."


def _suggest(key: str) -> str:
    *path, name = key.split(".")
    block: type[Options] | None = Parameters
    for part in path:
        block = _block(block, part)
    known = block.model_fields
    return did_you_mean(name, known) or f" Known are {', '.join(sorted(known))}."
