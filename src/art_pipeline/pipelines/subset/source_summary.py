"""Summary of each source: numbers of objects, images and classes, and why objects are dropped."""

from collections.abc import Iterable, Iterator

import pandas as pd

from art_pipeline.sources.columns import SEPARATOR, YEARS


def summarise_sources(objects: pd.DataFrame, image_table: pd.DataFrame, labels: "pd.Series[str]") -> Iterator[str]:
    """Yield a line per source: objects with an image and a label, their classes, and why the others are dropped.

    Every object counts once: labelled images and dropped objects add up to all objects.

    Args:
        objects: All listed objects, with ``source``, ``is_supplement`` and ``status``.
        image_table: All requested images, with the same columns.
        labels: (n,) str, labels of ``objects``.
    """
    for (is_supplement, name), rows in objects.groupby(["is_supplement", "source"]):
        reasons = _reasons(rows, image_table[image_table["is_supplement"] == is_supplement], labels[rows.index])
        used = rows.index[reasons == ""]
        counts = f"{len(rows):,} objects, {len(used):,} images with a label, {labels[used].nunique():,} classes"
        shown = f"{name} (supplement)" if is_supplement else name
        yield f"{shown}: {counts}; dropped: {_counted(reasons[reasons != ''])}{_without_year(rows)}"


def similar_labels(labels: Iterable[str]) -> list[list[str]]:
    """Return groups of labels that differ only in case, sorted.

    >>> similar_labels(["Prints", "Vases", "prints"])
    [['Prints', 'prints']]
    """
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault(label.casefold(), []).append(label)
    return [group for group in groups.values() if len(group) > 1]


def _reasons(objects: pd.DataFrame, image_table: pd.DataFrame, labels: "pd.Series[str]") -> "pd.Series[str]":
    """Return the first reason why each object is dropped; ``""`` if it is not."""
    of_image = objects["object_id"].map(image_table.set_index("object_id")["status"]).fillna("failed")
    of_label = labels.map(_why_unlabelled)
    return objects["status"].mask(objects["status"] == "ok", of_image.mask(of_image == "ok", of_label))


def _why_unlabelled(label: str) -> str:
    if SEPARATOR in label:
        return "with several labels"
    return "" if label else "without a label"


def _counted(reasons: "pd.Series[str]") -> str:
    counts = reasons.value_counts().sort_index()
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.items()) or "none"


def _without_year(objects: pd.DataFrame) -> str:
    number = int((objects["object_date"].ne("") & objects[list(YEARS)].isna().all(axis=1)).sum())
    return f" (kept with an unreadable date: {number:,})" if number else ""
