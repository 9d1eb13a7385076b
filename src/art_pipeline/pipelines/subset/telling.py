"""One line a source: what it gave, and what was dropped and why."""

from collections.abc import Iterable, Iterator

import pandas as pd

from art_pipeline.sources.columns import SEPARATOR, YEARS


def tell_sources(objects: pd.DataFrame, pictures: pd.DataFrame, labels: pd.Series) -> Iterator[str]:
    """Report of each source how many objects have an image and a label, in how many classes, and why others have not.

    Every object counts once: the images and what was dropped add up to the objects.

    Args:
        objects: All listed objects, with ``source``, ``tops_up`` and ``status``.
        pictures: All pictures asked for, likewise.
        labels: (n,) str, of ``objects``.
    """
    for (tops_up, name), own in objects.groupby(["tops_up", "source"]):
        outcomes = _outcomes(own, pictures[pictures["tops_up"] == tops_up], labels[own.index])
        classes = labels[own.index[outcomes == ""]].nunique()
        reported = f"{len(own):,} objects, {int((outcomes == '').sum()):,} images with a label, {classes:,} classes"
        yield f"{name}{' (to fill up)' if tops_up else ''}: {reported}; dropped: {_dropped(outcomes)}{_undated(own)}"


def similar_labels(labels: Iterable[str]) -> list[list[str]]:
    """Groups of labels that differ in nothing but upper and lower case, sorted."""
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault(label.casefold(), []).append(label)
    return [group for group in groups.values() if len(group) > 1]


def _outcomes(objects: pd.DataFrame, pictures: pd.DataFrame, labels: pd.Series) -> pd.Series:
    """Why each object is dropped, ``""`` where it is not; the first of several reasons."""
    of_picture = objects["object_id"].map(pictures.set_index("object_id")["status"]).fillna("failed")
    of_label = labels.map(_why_unlabelled)
    return objects["status"].mask(objects["status"] == "ok", of_picture.mask(of_picture == "ok", of_label))


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
