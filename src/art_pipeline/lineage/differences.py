"""Why two results differ: parameters, data, code, environment."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from art_pipeline.common.options import flatten
from art_pipeline.errors import LineageError
from art_pipeline.lineage.environment import LOCK
from art_pipeline.lineage.record import Record, require_whole
from art_pipeline.lineage.store import Store

ABSENT = "none"


def differences(one: Record, other: Record, store: Store) -> Iterator[tuple[str, list[str]]]:
    """What differs, a topic after the other, a line for each thing; topics where nothing does have no line.

    Raises:
        LineageError: A record is not whole.
    """
    require_whole(one)
    require_whole(other)
    yield "parameters", list(_parameters(one, other))
    yield "data", list(_data(one, other, store))
    yield "code", list(_code(one, other))
    yield "environment", list(_environment(one, other))


def _parameters(one: Record, other: Record) -> Iterator[str]:
    """The models' own under one name, so that two models can be compared."""
    before, after = _own_parameters(one), _own_parameters(other)
    yield from _changes(before, after)


def _own_parameters(record: Record) -> dict[str, Any]:
    values = {key: value for step in record.steps.values() for key, value in flatten(step.parameters)}
    model = f"{record.result}."
    return {f"model.{key.removeprefix(model)}" if key.startswith(model) else key: values[key] for key in values}


def _data(one: Record, other: Record, store: Store) -> Iterator[str]:
    if one.museum != other.museum:
        yield f"museum: {one.museum} → {other.museum}"
    before, after = one.artifacts, other.artifacts
    shared = [name for name in before if name in after]
    for name in shared:
        if before[name].digest != after[name].digest:
            yield f"{name}: {before[name].digest} → {after[name].digest}{_objects(name, one, other, store)}"


def _objects(name: str, one: Record, other: Record, store: Store) -> str:
    """How many objects of the split table came, went, or have another label or side."""
    if name != "manifest":
        return ""
    try:
        tables = []
        for record in (one, other):
            with store.opened(record.artifacts[name]) as file:
                tables.append(pd.read_parquet(file).set_index("object_id"))
    except LineageError:
        return f" (its bytes are nowhere, and not compared{f': {store.refusal}' if store.refusal else ''})"
    except (ValueError, OSError, KeyError, TypeError):
        return " (one of them is damaged, and not compared)"
    before, after = tables
    both = before.index.intersection(after.index)
    counts = {
        "came": len(after.index.difference(before.index)),
        "went": len(before.index.difference(after.index)),
        "have another label": int((before.loc[both, "label"] != after.loc[both, "label"]).sum()),
        "have another split": int((before.loc[both, "split"] != after.loc[both, "split"]).sum()),
    }
    return f": of {len(before)} objects " + ", ".join(f"{count} {what}" for what, count in counts.items())


def _code(one: Record, other: Record) -> Iterator[str]:
    yield from _changes({"commit": one.source.commit}, {"commit": other.source.commit})
    yield from _changes({"uncommitted changes": one.source.changes}, {"uncommitted changes": other.source.changes})
    # A file may have changed between two steps of one result: it is in a pair for each.
    ran = [{pair for step in record.steps.values() for pair in step.code.items()} for record in (one, other)]
    yield from sorted({path for path, _ in ran[0] ^ ran[1]})


def _environment(one: Record, other: Record) -> Iterator[str]:
    if one.rebuilt or other.rebuilt:  # what calculated is not known, but for what was pinned
        yield from _changes({LOCK: one.environment.lock}, {LOCK: other.environment.lock})
        return
    flat = []
    for record in (one, other):
        content = record.environment.model_dump(mode="json")
        packages = content.pop("packages")
        flat.append({**content, "cpu": " ".join(content["cpu"]), **packages})
    yield from _changes(*flat)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        if key not in before or key not in after or before[key] != after[key]:
            yield f"{key}: {before.get(key, ABSENT)} → {after.get(key, ABSENT)}"
