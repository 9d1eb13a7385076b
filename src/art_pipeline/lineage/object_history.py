"""One object's way through a result: record, image, split, altered copies, prediction."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from art_pipeline.errors import LineageError
from art_pipeline.lineage.record import Record, require_whole
from art_pipeline.lineage.store import Store

CREDIT = ("object_url", "source", "licence")
# Data set, what it says of an object, and the columns that are told of it.
TOLD = {
    "objects": ("record", ("status", "department", "title", "artist", "object_date", *CREDIT)),
    "image_table": ("image", ("status", "url", "file", "bytes", "md5", "width", "height")),
    "selection": ("decision", ("label", "original_label", "group", "decision", "near_duplicate_of")),
    "manifest": ("split", ("label", "split")),
    "augmentation": ("copies", ("image", "rotation", "zoom_x", "zoom_y", "flipped", "brightness")),
}


def way_of(object_id: int, record: Record, store: Store) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What each table says of an object, in the order in which they were made.

    Args:
        object_id: The museum's number of it.
        record: Of the result.
        store: Where the tables are found as they were.

    Yields:
        What it is, and a row or more of names and values; no row where the object is not there.

    Raises:
        LineageError: The museum has no such object, or a table is nowhere.
    """
    require_whole(record)
    for name, (what, columns) in TOLD.items():
        if name in record.artifacts:
            rows = _rows(name, object_id, record, store)
            if name == "objects" and rows.empty:
                raise LineageError(f"The museum's list has no object {object_id}.")
            yield what, rows[[one for one in columns if one in rows]].to_dict("records")
    predicted = _rows(f"{record.result}.predictions", object_id, record, store)
    yield "prediction", [_prediction(row) for row in predicted.to_dict("records")]


def _rows(name: str, object_id: int, record: Record, store: Store) -> pd.DataFrame:
    with store.opened(record.artifacts[name]) as file:
        try:
            table = pd.read_parquet(file)
            return table[table["object_id"] == object_id]
        except (OSError, ValueError, KeyError) as error:  # bytes as recorded, of a crafted record
            raise LineageError(f"{record.artifacts[name].path} is no table of objects.") from error


def _prediction(row: dict[str, Any]) -> dict[str, Any]:
    probabilities = {name.removeprefix("p:"): value for name, value in row.items() if name.startswith("p:")}
    likely = sorted(probabilities, key=lambda name: (-probabilities[name], name))[:3]
    return {"label": row["label"], **{f"p({name})": round(probabilities[name], 4) for name in likely}}
