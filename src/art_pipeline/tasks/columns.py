"""Columns of the object table that tasks read as texts: labels and groups."""

from typing import Any

import pandas as pd

from art_pipeline.errors import SubsetError, did_you_mean
from art_pipeline.sources.columns import FLAGS, MADE, SEPARATOR, YEARS
from art_pipeline.sources.names import normal

NO_LABELS = {"object_id", *MADE, *YEARS, *FLAGS, "image", "image_small", "object_url", "licence"} - {"century"}


def read_column(objects: pd.DataFrame, name: str, key: str) -> "pd.Series[str]":
    """Return the values of a column; several values of one object are separated by `SEPARATOR`, ``""`` is none.

    Args:
        objects: The object table.
        name: The column.
        key: The parameter that names it, for the error message.

    Raises:
        SubsetError: There is no such column.
    """
    if name not in objects.columns:
        hint = did_you_mean(name, objects.columns)
        raise SubsetError(
            f"{key}: the objects table has no column {name!r}.{hint} Columns: {', '.join(objects.columns)}."
        )
    return as_text(objects[name]).map(_normalise)


def as_text(column: "pd.Series[Any]") -> "pd.Series[str]":
    """Return the values of a column of any type as text; ``""`` for none.

    >>> as_text(pd.Series([1850, None], dtype="Int64")).tolist()
    ['1850', '']
    """
    return column.astype("string").fillna("").astype(str)


def require_labels(labels: "pd.Series[str]", name: str, objects: pd.DataFrame, described: str) -> None:
    """Check that some objects have a label.

    Args:
        labels: (n,) str, their labels.
        name: The column of the labels.
        objects: The rows of the objects, of which the error message lists columns with values.
        described: What they are, for the error message.

    Raises:
        SubsetError: None of them has one.
    """
    if labels.eq("").all():
        raise SubsetError(
            f"None of the {len(objects)} {described} has a value in {name!r}. Columns with values: "
            f"{', '.join(_with_values(objects)) or 'none'}. Set label to one of them, or remove the task and its "
            "models; for another column of your own table, add it to the source's columns or keep."
        )


def _normalise(text: str) -> str:
    """Normalize the values of a text, which are separated by `SEPARATOR`, and drop repeated ones."""
    return SEPARATOR.join(dict.fromkeys(value for value in map(normal, text.split(SEPARATOR)) if value))


def _with_values(objects: pd.DataFrame) -> list[str]:
    """Return the columns that could be labels: texts for which some of these objects have a value."""
    names = [name for name in objects.columns if name not in NO_LABELS]
    return [name for name in names if as_text(objects[name]).ne("").any()]
