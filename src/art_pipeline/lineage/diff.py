"""Find why two results differ: parameters, data, code, environment."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from art_pipeline.errors import LineageError
from art_pipeline.lineage.artifact_store import ArtifactStore
from art_pipeline.lineage.environment import LOCK
from art_pipeline.lineage.record import Record, require_complete
from art_pipeline.lineage.task import comparable_parameters, dataset_of_task
from art_pipeline.tasks.corrected import corrected_rows

ABSENT = "none"
CORRECTED = 200  # corrected labels that are listed


def compare_records(one: Record, other: Record, store: ArtifactStore) -> Iterator[tuple[str, list[str]]]:
    """Yield each topic with a line for each difference; no lines where the topic is the same.

    Raises:
        LineageError: A record is not complete.
    """
    require_complete(one)
    require_complete(other)
    yield "parameters", list(_changes(comparable_parameters(one), comparable_parameters(other)))
    yield "data", list(_data(one, other, store))
    yield "code", list(_code(one, other))
    yield "environment", list(_environment(one, other))


def _data(one: Record, other: Record, store: ArtifactStore) -> Iterator[str]:
    if one.museum != other.museum:
        yield f"source: {one.museum} → {other.museum}"
    before, after = one.artifacts, other.artifacts
    for name in before:
        if name in after and before[name].digest != after[name].digest:
            is_manifest = name == dataset_of_task(one, "manifest")
            objects, *corrected = _compare_manifests(one, other, store) if is_manifest else [""]
            yield f"{name}: {before[name].digest} → {after[name].digest}{objects}"
            yield from corrected
    if (name := dataset_of_task(other, "corrections")) in before.keys() ^ after.keys():
        ends = (record[name].digest if name in record else ABSENT for record in (before, after))
        yield f"{name}: {' → '.join(ends)}"


def _compare_manifests(one: Record, other: Record, store: ArtifactStore) -> list[str]:
    """Return how many objects were added, removed, or have another label or split; then a line per corrected label."""
    try:
        before, after = (_read_manifest(record, store) for record in (one, other))
        return [_compare_objects(before, after), *_shortened(list(corrected_rows(before, after)))]
    except LineageError:
        reason = f": {store.remote_error}" if store.remote_error else ""
        return [f" (not compared, its bytes are not found{reason})"]
    except (ValueError, OSError, KeyError, TypeError):
        return [" (not compared, one is damaged)"]


def _shortened(lines: list[str]) -> list[str]:
    rest = len(lines) - CORRECTED
    return lines if rest <= 0 else [*lines[:CORRECTED], f"… and {rest:,} more corrected labels"]


def _compare_objects(before: pd.DataFrame, after: pd.DataFrame) -> str:
    both = before.index.intersection(after.index)
    counts = {
        "added": len(after.index.difference(before.index)),
        "removed": len(before.index.difference(after.index)),
        "with another label": int((before.loc[both, "label"] != after.loc[both, "label"]).sum()),
        "with another split": int((before.loc[both, "split"] != after.loc[both, "split"]).sum()),
    }
    return f": {len(before)} objects, " + ", ".join(f"{count} {change}" for change, count in counts.items())


def _read_manifest(record: Record, store: ArtifactStore) -> pd.DataFrame:
    with store.open(record.artifacts[dataset_of_task(record, "manifest")]) as file:
        return pd.read_parquet(file).set_index("object_id")


def _code(one: Record, other: Record) -> Iterator[str]:
    yield from _changes({"commit": one.source.commit}, {"commit": other.source.commit})
    yield from _changes({"uncommitted changes": one.source.changes}, {"uncommitted changes": other.source.changes})
    # Pairs, since a file may have changed between two steps of one result.
    before, after = ({pair for step in record.steps.values() for pair in step.code.items()} for record in (one, other))
    yield from sorted({path for path, _ in before ^ after})


def _environment(one: Record, other: Record) -> Iterator[str]:
    if one.rebuilt or other.rebuilt:  # only the pinned packages are known
        yield from _changes({LOCK: one.environment.lock}, {LOCK: other.environment.lock})
        return
    yield from _changes(_flat_environment(one), _flat_environment(other))


def _flat_environment(record: Record) -> dict[str, Any]:
    content = record.environment.model_dump(mode="json")
    packages = content.pop("packages")
    return {**content, "cpu": " ".join(content["cpu"]), **packages}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        if key not in before or key not in after or before[key] != after[key]:
            yield f"{key}: {before.get(key, ABSENT)} → {after.get(key, ABSENT)}"
