"""Sentences that explain what is wrong with params.yaml, from pydantic's errors."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from art_pipeline.common.options import Options, block_class
from art_pipeline.errors import did_you_mean
from art_pipeline.models.family import ModelFamily
from art_pipeline.sources.registry import SOURCES, Sources

Written = Callable[[str], str | None]


def explain(
    parameters: type[Options], problems: Iterable[Mapping[str, Any]], renamed: Mapping[str, str], written: Written
) -> list[str]:
    """Return a sentence for each key with a problem, sorted by key.

    Args:
        parameters: The class of all parameters.
        problems: What ``ValidationError.errors`` returns; a union reports a problem for each of its members.
        renamed: New names of former keys.
        written: Function that returns the text of a key before YAML parses it; None where it is unknown.
    """
    by_key: dict[str, list[Mapping[str, Any]]] = {}
    for problem in problems:
        by_key.setdefault(".".join(_locate(parameters, problem["loc"])[0]), []).append(problem)
    new = {key: name for key, (first, *_) in by_key.items() if (name := _new_name(parameters, key, first, renamed))}
    deepest = [key for key in by_key if not any(other.startswith(f"{key}.") for other in by_key)]
    return [
        _explain_renamed(key, new[key], by_key[key][0]["input"])
        if key in new
        else _explain(parameters, key, by_key[key], written)
        for key in sorted(deepest)
        # A key is missing if it was given under its former name.
        if key not in {name.partition(",")[0] for name in new.values()}
    ]


def _new_name(
    parameters: type[Options], key: str, problem: Mapping[str, Any], renamed: Mapping[str, str]
) -> str | None:
    """Return the new name of a former key or value; None for any other."""
    block, _, rest = key.partition(".")
    field = parameters.model_fields.get(block)
    is_model = field and isinstance(field.annotation, type) and issubclass(field.annotation, ModelFamily)
    former = f"MODEL.{rest}" if is_model else key
    if problem["type"] != "extra_forbidden":
        former += f": {problem['input']}"
    new = renamed.get(former)
    return new and new.replace("MODEL", block)


def _explain_renamed(key: str, new: str, value: Any) -> str:
    return f"{key}{': ' + value if ': ' in new else ''} is now {new}."


def _locate(parameters: type[Options], path: Iterable[str | int]) -> tuple[list[str], type[Options] | None]:
    """Return the parts of a key, without pydantic's names of union members, and the class of the block with the key."""
    parts: list[str] = []
    block: Any = parameters
    holder: Any = parameters
    for part in path:
        if block is Sources and isinstance(part, str):  # the tag of the union: the class of this source
            block = SOURCES.get(part)
            continue
        if isinstance(part, str) and block is None:
            break
        parts.append(str(part))
        holder = block
        block = Sources if block is Sources else _block(block, str(part))
    return parts, holder


def _block(block: type[Options] | None, name: str) -> type[Options] | type[Sources] | None:
    field = block.model_fields.get(name) if block else None
    kind = field.annotation if field else None
    return Sources if kind is Sources else block_class(kind)


def _explain(parameters: type[Options], key: str, problems: list[Mapping[str, Any]], written: Written) -> str:
    first = problems[0]
    if first["type"] == "extra_forbidden":
        return f"{key} is not known.{_suggest(parameters, first['loc'])}"
    if first["type"] == "missing":
        return f"{key} is missing."
    if first["type"] == "model_type":
        empty = "is empty" if first["input"] is None else f"cannot be {first['input']!r}"
        return f"{key} {empty}: write a block of keys and values, or {{}} for one without any."
    if first["type"].startswith("union_tag"):
        tag = first.get("ctx", {}).get("tag")
        wrong = f"cannot be {tag!r}.{did_you_mean(tag, SOURCES)}" if tag else "is missing."
        return f"{key}.source {wrong} It can be {', '.join(SOURCES)}."
    if any(one["type"] == "string_type" for one in problems) and isinstance(first["input"], bool | int | float):
        return _ask_for_quotes(key, first, written)
    reasons = dict.fromkeys(problem["msg"].removeprefix("Value error, ") for problem in problems)
    value = "used" if key == "sources" else repr(first["input"])  # the list is too long to be shown
    return f"{key or 'it'} cannot be {value}: {', or '.join(reasons)}."


def _ask_for_quotes(key: str, problem: Mapping[str, Any], written: Written) -> str:
    """Ask for quotes where YAML parses an unquoted text as a number or a boolean."""
    loc = list(problem["loc"])
    if loc[0] == "sources":
        del loc[2]  # the tag of the union
    value, path = problem["input"], ".".join(map(str, loc))  # which names the key of a mapping too
    text = written(path) or written(key)
    if text is None:
        return f"{key} cannot be {value!r}: a text is needed, so write it in quotes."
    name, kind = path if written(path) else key, "value" if isinstance(value, bool) else "number"
    return f'{name} cannot be {text} without quotes, which YAML reads as the {kind} {value!r}: write "{text}".'


def _suggest(parameters: type[Options], path: Iterable[str | int]) -> str:
    (*outer, name), block = _locate(parameters, path)
    known = block.model_fields if block else {}
    hint = did_you_mean(name, known) or f" Known are {', '.join(sorted(known))}."
    return hint if outer else f"{hint} A block of a model has a kind."
