"""Stratified splits into training, validation and test, by class or by group."""

from fractions import Fraction
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import SubsetError
from art_pipeline.tasks.options import SplitOptions

MAX_FOLDS = 20


def split_by_class(
    object_ids: "pd.Series[int]", labels: "pd.Series[str]", options: SplitOptions
) -> NDArray[np.object_]:
    """Split each class at random, with a random stream per class.

    Args:
        object_ids: (n,) int64, unique.
        labels: (n,) str.
        options: Shares and seed.

    Returns:
        (n,) str: ``train``, ``validation`` or ``test``.

    Raises:
        SubsetError: A class has too few objects for all splits.
    """
    splits = np.full(len(labels), "train", object)
    for name, rows in object_ids.reset_index(drop=True).groupby(labels.to_numpy()):
        stream = np.random.default_rng([options.seed, crc32(str(name).encode())])
        shuffled = stream.permutation(rows.sort_values().index.to_numpy())
        test = _share(len(rows), options.test)
        validation = _share(len(rows) - test, options.validation)
        _require(str(name), len(rows) - test - validation, len(rows))
        splits[shuffled[:test]] = "test"
        splits[shuffled[test : test + validation]] = "validation"
    return splits


def split_by_group(labels: "pd.Series[str]", groups: NDArray[np.int64], options: SplitOptions) -> NDArray[np.object_]:
    """Split whole groups, stratified by class as far as groups allow.

    Shares are multiples of a twentieth, or of one object of the smallest class.

    Args:
        labels: (n,) str.
        groups: (n,) int64; rows with the same number stay together.
        options: Shares and seed.

    Returns:
        (n,) str: ``train``, ``validation`` or ``test``.

    Raises:
        SubsetError: A class has too few groups for all splits.
    """
    names, splits = labels.to_numpy(), np.full(len(labels), "train", object)
    for split, share in (("test", options.test), ("validation", options.validation)):
        rest = np.flatnonzero(splits == "train")
        if share:
            _require_groups(names[rest], groups[rest])
            splits[rest[_sample_groups(names[rest], groups[rest], share, options.seed)]] = split
    for name in np.unique(names):
        own = splits[names == name]
        required = ["train", "test", *(["validation"] if options.validation else [])]
        _require(name, min(int((own == split).sum()) for split in required), len(own))
    return splits


def same_splits(splits: "pd.Series[str]", same_as: pd.DataFrame, groups: NDArray[np.int64] | None) -> "pd.Series[str]":
    """Return the splits of the other task, for its objects and for the members of their groups; else the given ones."""
    known = splits.index.to_series().map(same_as.set_index("object_id")["split"])
    if groups is not None:
        known = known.fillna(known.groupby(groups).transform("first"))
    return known.fillna(splits)


def require_training(labels: "pd.Series[str]", splits: "pd.Series[str]") -> None:
    """Check that each class has an image in training.

    Raises:
        SubsetError: A class has none.
    """
    for name, own in splits.groupby(labels.to_numpy()):
        _require(str(name), int((own == "train").sum()), len(own))


def _share(size: int, share: float) -> int:
    return max(1, round(size * share)) if share else 0


def _require(name: str, smallest: int, size: int) -> None:
    if smallest < 1:
        raise SubsetError(
            f"The class {name!r} has {size} objects, too few to be in all splits. Raise classes.min_images, "
            "choose a split.group_by with smaller groups, or change split.seed."
        )


def _require_groups(labels: NDArray[np.object_], groups: NDArray[np.int64]) -> None:
    for name, numbers in pd.Series(groups).groupby(labels):
        _require(str(name), numbers.nunique() - 1, len(numbers))


def _sample_groups(labels: NDArray[np.object_], groups: NDArray[np.int64], share: float, seed: int) -> NDArray[np.intp]:
    """Return the positions of about ``share`` of the rows, in whole groups."""
    from sklearn.model_selection import StratifiedGroupKFold

    folds = max(2, min(MAX_FOLDS, int(pd.Series(labels).value_counts().min())))
    possible = min(max(share, 1 / folds), 1 - 1 / folds)  # at least one fold, and not all of them
    fraction = Fraction(possible).limit_denominator(folds)
    splitter = StratifiedGroupKFold(fraction.denominator, shuffle=True, random_state=seed)
    parts = [part for _, part in splitter.split(labels, labels, groups)]
    return np.concatenate(parts[: fraction.numerator])
