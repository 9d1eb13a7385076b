"""The classes of a task: by name, by size, and the images that are sampled from them.

A table of objects has ``object_id``, ``label`` (in multi-label tasks a set of labels) and ``decision``.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import SubsetError, did_you_mean
from art_pipeline.sources.names import normal
from art_pipeline.tasks.label_sets import count_labels, keep_labels
from art_pipeline.tasks.options import ClassOptions, TaskOptions
from art_pipeline.tasks.sampling import sample_classes, sample_label_sets
from art_pipeline.tasks.supplement import KEPT

DEFAULT_MIN_IMAGES = 10
NONE = np.empty(0, np.int64)
LISTED = 50  # classes in a message


def exclude_other_classes(table: pd.DataFrame, classes: list[str], options: TaskOptions) -> None:
    """Remove the labels of other classes, and exclude objects that have no other label."""
    kept, remaining = table["decision"] == KEPT, keep_labels(table["label"], classes)
    excluded = kept & remaining.eq("") & (not options.keeps_unlabelled)
    table.loc[excluded, "decision"] = "class_excluded"
    table["label"] = table["label"].mask(kept & ~excluded, remaining)


def named_classes(labels: "pd.Series[str]", options: ClassOptions, of: str = "object with an image") -> list[str]:
    """Return the classes that ``options.names`` lists, or all.

    Args:
        labels: (n,) str, label sets.
        options: ``names``.
        of: What has a label, for the error message.

    Raises:
        SubsetError: None of them has one of the names.
    """
    known, names = list(count_labels(labels).index), [normal(name) for name in options.names]
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise SubsetError(f"classes.names: no {of} has the label {unknown[0]!r}.{hint} Labels: {_listed(known)}.")
    return names or known


def large_classes(labels: "pd.Series[str]", options: TaskOptions, of: str = "images") -> list[str]:
    """Return the classes with enough images, of these the ``options.classes.top`` largest, sorted.

    Args:
        labels: (n,) str, label sets.
        options: ``classes`` and ``images_per_class``.
        of: What has a label, for the error message.

    Raises:
        SubsetError: Fewer than two classes are left.
    """
    sizes, minimum = count_labels(labels), _min_images(options)
    large = sizes[sizes >= minimum].sort_values(ascending=False, kind="stable")[: options.classes.top]
    if len(large) < 2:  # noqa: PLR2004 - a classifier needs two
        raise SubsetError(
            f"A classifier needs two classes, but {len(large)} have at least {minimum} {of}: "
            f"{_listed(_named(sizes))}. Lower classes.min_images, or name more classes."
        )
    return sorted(large.index)


def _min_images(options: TaskOptions) -> int:
    if options.classes.min_images is not None:
        return options.classes.min_images
    return options.images_per_class if isinstance(options.images_per_class, int) else DEFAULT_MIN_IMAGES


def undersample(table: pd.DataFrame, options: TaskOptions, first: NDArray[np.int64] = NONE) -> pd.DataFrame:
    """Sample ``options.images_per_class`` of the kept images of each class; the others are ``not_sampled``.

    Args:
        table: The objects.
        options: The task.
        first: Ids of the images that are sampled before others, the first ones first.

    Raises:
        SubsetError: A class has too few images.
    """
    kept = table[table["decision"] == KEPT]
    sizes = count_labels(kept["label"])
    wanted = sizes.min() if options.images_per_class == "smallest" else options.images_per_class
    if wanted is None:
        return table
    short = sizes[sizes < wanted]
    if not short.empty:
        raise SubsetError(
            f"Cannot sample {wanted} images from each class: {_listed(_named(short))}. Lower images_per_class to "
            f"{short.min()}, or exclude these classes with classes.min_images: {wanted}."
        )
    sample = sample_label_sets if options.kind == "multilabel" else sample_classes
    sampled = sample(kept, int(wanted), [options.seed], first=first)
    excluded = (table["decision"] == KEPT) & ~table["object_id"].isin(sampled)
    return table.assign(decision=table["decision"].mask(excluded, "not_sampled"))


def _named(sizes: "pd.Series[int]") -> list[str]:
    return [f"{name} has {size}" for name, size in sizes.items()]


def _listed(texts: Sequence[str]) -> str:
    """Join texts; of very many, the first."""
    more = f", … ({len(texts)} in all)" if len(texts) > LISTED else ""
    return ", ".join(texts[:LISTED]) + more
