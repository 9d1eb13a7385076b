"""One line a source: what it gave, and what was dropped and why."""

from collections.abc import Iterable, Iterator

import pandas as pd

from art_pipeline.sources.columns import SEPARATOR, YEARS


def tell_sources(objects: pd.DataFrame, image_table: pd.DataFrame, labels: pd.Series) -> Iterator[str]:
    """Report of each source how many objects have an image and a label, in how many classes, and why others have not.

    Every object counts once: the images and what was dropped add up to the objects.

    Args:
        objects: All listed objects, with ``source``, ``is_supplement`` and ``status``.
        image_table: All images asked for, likewise.
        labels: (n,) str, of ``objects``.
    """
    for (is_supplement, name), own in objects.groupby(["is_supplement", "source"]):
        outcomes = _outcomes(own, image_table[image_table["is_supplement"] == is_supplement], labels[own.index])
        classes = labels[own.index[outcomes == ""]].nunique()
        reported = f"{len(own):,} objects, {int((outcomes == '').sum()):,} images with a label, {classes:,} classes"
        shown = f"{name} (supplement)" if is_supplement else name
        yield f"{shown}: {reported}; dropped: {_dropped(outcomes)}{_undated(own)}"


def similar_labels(labels: Iterable[str]) -> list[list[str]]:
    """Groups of labels that differ in nothing but upper and lower case, sorted."""
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault(label.casefold(), []).append(label)
    return [group for group in groups.values() if len(group) > 1]


def _outcomes(objects: pd.DataFrame, image_table: pd.DataFrame, labels: pd.Series) -> pd.Series:
    """Why each object is dropped, ``""`` where it is not; the first of several reasons."""
    of_image = objects["object_id"].map(image_table.set_index("object_id")["status"]).fillna("failed")
    of_label = labels.map(_why_unlabelled)
    return objects["status"].mask(objects["status"] == "ok", of_image.mask(of_image == "ok", of_label))


def _why_unlabelled(label: str) -> str:
    if SEPARATOR in label:
        return "with several labels"
    return "" if label else "without a label"


def _dropped(outcomes: pd.Series) -> str:
    counts = outcomes[outcomes != ""].value_counts().sort_index()
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.items()) or "none"


def _undated(objects: pd.DataFrame) -> str:
    unread = int((objects["object_date"].ne("") & objects[list(YEARS)].isna().all(axis=1)).sum())
    return f" (kept with a date that is no year: {unread:,})" if unread else ""
