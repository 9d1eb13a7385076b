"""One line a source: what it gave, and what was dropped and why."""

from collections.abc import Iterator

import pandas as pd

from art_pipeline.museum.columns import SEPARATOR, YEARS


def tell_sources(objects: pd.DataFrame, pictures: pd.DataFrame, labels: pd.Series) -> Iterator[str]:
    """Tell of each source how many objects, pictures and classes there are, and what was dropped and why.

    Args:
        objects: All listed objects, with ``source`` and ``status``.
        pictures: All pictures asked for, likewise.
        labels: (n,) str, of ``objects``.
    """
    for name, own in objects.groupby("source"):
        shown = pictures[pictures["source"] == name]
        usable = own["object_id"].isin(shown.loc[shown["status"] == "ok", "object_id"])
        classes = {label for label in labels[own.index[usable]] if label and SEPARATOR not in label}
        yield (
            f"{name}: {len(own):,} objects, {int(usable.sum()):,} pictures, {len(classes):,} classes; "
            f"dropped: {_dropped(own, shown, labels[own.index[usable]]) or 'none'}"
        )


def _dropped(objects: pd.DataFrame, pictures: pd.DataFrame, labels: pd.Series) -> str:
    reasons = [
        *_counts(objects.loc[objects["status"] != "ok", "status"]),
        *_counts(pictures.loc[pictures["status"] != "ok", "status"]),
        ("without a label", int(labels.eq("").sum())),
        ("with several labels", int(labels.str.contains(SEPARATOR, regex=False).sum())),
    ]
    told = [f"{number:,} {reason}" for reason, number in reasons if number]
    unread = int((objects["object_date"].ne("") & objects[list(YEARS)].isna().all(axis=1)).sum())
    return ", ".join(told) + (f" (kept with a date that is no year: {unread:,})" if unread else "")


def _counts(statuses: pd.Series) -> list[tuple[str, int]]:
    return sorted(statuses.value_counts().items())
