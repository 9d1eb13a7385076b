"""Follow one object through a result: record, image, selection, split, augmentation, prediction."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.errors import LineageError
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.lineage.artifact_store import ArtifactStore
from art_pipeline.lineage.record import Record, require_complete
from art_pipeline.lineage.task import dataset_of_task

CREDIT = ("object_url", "source", "licence")
CORRECTION = ("recorded_label", "corrected_by")
# Data set -> title, and the columns to show.
TABLES = {
    "objects": ("record", ("status", "department", "title", "artist", "object_date", *CREDIT)),
    "image_table": ("image", ("status", "url", "file", "bytes", "md5", "width", "height")),
    "selection": ("selection", ("label", "original_label", *CORRECTION, "group", "decision", "near_duplicate_of")),
    "manifest": ("split", ("label", "split", *CORRECTION)),
    "augmentation": ("augmented images", ("image", "rotation", "zoom_x", "zoom_y", "flipped", "brightness")),
}
MOST = 3  # classes of a multi-class model
OF_TASK = {"selection", "manifest", "augmentation"}  # one for each task


def object_history(object_id: int, record: Record, store: ArtifactStore) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return what each table of a result has of an object, in the order of the pipeline.

    Args:
        object_id: Id of the object in its source.
        record: The record of the result.
        store: Finds the recorded tables.

    Yields:
        A title, and the rows of the object; no row where the table lacks it.

    Raises:
        LineageError: The object table lacks the object, or a table is not found.
    """
    require_complete(record)
    for table, (title, columns) in TABLES.items():
        name = dataset_of_task(record, table) if table in OF_TASK else table
        if name in record.artifacts:
            rows = _rows(name, object_id, record, store)
            if name == "objects" and rows.empty:
                raise LineageError(f"The object table has no object {object_id}.")
            yield title, _to_dicts(rows[[one for one in columns if one in rows]])
    predicted = _rows(f"{record.result}.predictions", object_id, record, store)
    yield "prediction", [_prediction(row) for row in _to_dicts(predicted)]


def _rows(name: str, object_id: int, record: Record, store: ArtifactStore) -> pd.DataFrame:
    with store.open(record.artifacts[name]) as file:
        try:
            table = pd.read_parquet(file)
            return table[table["object_id"] == object_id]
        except (OSError, ValueError, KeyError) as error:  # a crafted record may name any file
            raise LineageError(f"{record.artifacts[name].path} is not a table of objects.") from error


def _to_dicts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _prediction(row: dict[str, Any]) -> dict[str, Any]:
    """Return the true label, and the three most probable classes or all predicted labels."""
    probabilities = _by_class(row, "p:")
    likely = sorted(probabilities, key=lambda name: (-probabilities[name], name))
    shown = {key: row[key] for key in ("label", "origin") if key in row}
    thresholds = _by_class(row, "t:")
    if not thresholds:
        return shown | {f"p({name})": round(probabilities[name], 4) for name in likely[:MOST]}
    labels = tuple(sorted(thresholds.keys() & probabilities.keys()))
    values = np.array([[one[name] for name in labels] for one in (probabilities, thresholds)], dtype=np.float64)
    rule = int(row.get("min_labels", 0)), row.get("max_labels"), row.get("decision", "thresholds")
    model = LabelThresholds(labels, values[1], *rule)
    predicted = {name for name, yes in zip(labels, model.apply(values[:1], labels)[0], strict=True) if yes}
    texts = {
        name: f"{probabilities[name]:.4f}" + ("" if np.isnan(one) else f" (threshold {one:.4f})")
        for name, one in zip(labels, model.used, strict=True)
    }
    return shown | {f"p({name})": texts[name] for name in likely if name in predicted}


def _by_class(row: dict[str, Any], prefix: str) -> dict[str, float]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
