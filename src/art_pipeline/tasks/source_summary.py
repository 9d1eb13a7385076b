"""Summary of each source: numbers of objects, images and classes, and why objects are dropped."""

from collections.abc import Callable, Iterable, Iterator

import pandas as pd

from art_pipeline.sources.columns import SEPARATOR, YEARS
from art_pipeline.tasks.label_sets import count_labels
from art_pipeline.tasks.options import TaskOptions
from art_pipeline.tasks.supplement import KEPT


def summarise_sources(
    objects: pd.DataFrame, image_table: pd.DataFrame, labels: "pd.Series[str]", options: TaskOptions
) -> Iterator[str]:
    """Yield a line per source: objects with an image and a label, their classes, and why the others are dropped.

    Every object counts once: labelled images, images that are kept without a label, and dropped objects add up to all
    objects.

    Args:
        objects: All listed objects, with ``source``, ``is_supplement`` and ``status``.
        image_table: All requested images, with the same columns.
        labels: (n,) str, labels of ``objects``.
        options: The task: its kind, and whether images without a label are kept.
    """
    unused = _unused(options)
    for (is_supplement, name), rows in objects.groupby(["is_supplement", "source"]):
        shown = image_table[image_table["is_supplement"] == is_supplement]
        reasons = _reasons(rows, shown, labels[rows.index].map(unused))
        used = labels[rows.index[reasons == ""]]
        counts = f"{len(rows):,} objects, {_labelled(used, options)}"
        title = f"{name} (supplement)" if is_supplement else name
        yield f"{title}: {counts}; dropped: {_counted(reasons[reasons != ''])}{_without_year(rows)}"


def summarise_labels(before: "pd.Series[str]", selection: pd.DataFrame) -> str:
    """Return how many labels of a multi-label task are used, and what happened to the others.

    Args:
        before: (n,) str, label sets before any label was removed.
        selection: ``label`` and ``decision`` of the same objects.
    """
    kept = selection["decision"] == KEPT
    used, known = count_labels(selection.loc[kept, "label"]), count_labels(before)
    dropped = selection["decision"] == "class_excluded"
    changed = dropped | (kept & selection["label"].ne(before))
    unlabelled = int((kept & selection["label"].eq("")).sum())
    return (
        f"{len(used):,} of {len(known):,} labels are used, on {int(kept.sum()) - unlabelled:,} images. The others were "
        f"removed from {int(changed.sum()):,} images, {int(dropped.sum()):,} of which are dropped, as they have no "
        f"label left. {unlabelled:,} images are kept without a label."
    )


def similar_labels(labels: Iterable[str]) -> list[list[str]]:
    """Return groups of labels that differ only in case, sorted.

    >>> similar_labels(["Prints", "Vases", "prints"])
    [['Prints', 'prints']]
    """
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault(label.casefold(), []).append(label)
    return [group for group in groups.values() if len(group) > 1]


def _reasons(objects: pd.DataFrame, image_table: pd.DataFrame, of_label: "pd.Series[str]") -> "pd.Series[str]":
    """Return the first reason why each object is dropped; ``""`` if it is not."""
    of_image = objects["object_id"].map(image_table.set_index("object_id")["status"]).fillna("failed")
    return objects["status"].mask(objects["status"] == "ok", of_image.mask(of_image == "ok", of_label))


def _unused(options: TaskOptions) -> Callable[[str], str]:
    """Return a function that says why a label is not used; ``""`` if it is."""

    def reason(label: str) -> str:
        if SEPARATOR in label and options.kind == "multiclass":
            return "with several labels"
        return "" if label or options.keeps_unlabelled else "without a label"

    return reason


def _labelled(labels: "pd.Series[str]", options: TaskOptions) -> str:
    """Return the numbers of images and classes."""
    images, sizes = int(labels.ne("").sum()), count_labels(labels)
    counts = f"{images:,} images with a label, {len(sizes):,} classes"
    if options.kind == "multiclass":
        return counts
    unlabelled = f", {len(labels) - images:,} images without a label" if options.keeps_unlabelled else ""
    return f"{counts}, {sizes.sum() / max(images, 1):.1f} labels per image{unlabelled}"


def _counted(reasons: "pd.Series[str]") -> str:
    counts = reasons.value_counts().sort_index()
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.items()) or "none"


def _without_year(objects: pd.DataFrame) -> str:
    number = int((objects["object_date"].ne("") & objects[list(YEARS)].isna().all(axis=1)).sum())
    return f" (kept with an unreadable date: {number:,})" if number else ""
