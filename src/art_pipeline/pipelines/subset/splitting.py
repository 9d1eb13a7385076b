"""Divide objects into train, validation and test, keeping the share of every class."""

from fractions import Fraction
from zlib import crc32

import numpy as np
import pandas as pd

from art_pipeline.errors import SubsetError
from art_pipeline.images.near_duplicates import group_pairs
from art_pipeline.pipelines.subset.options import SplitOptions
from art_pipeline.sources.columns import SEPARATOR

FINEST = 20


def split_by_class(object_ids: pd.Series, labels: pd.Series, options: SplitOptions) -> np.ndarray:
    """Divide each class at random, from a random stream of its own.

    Args:
        object_ids: (n,) int64, unique.
        labels: (n,) str.
        options: Shares and seed.

    Returns:
        (n,) str: ``train``, ``validation`` or ``test``.

    Raises:
        SubsetError: A class has too few objects to stand on every side.
    """
    sides = np.full(len(labels), "train", object)
    for name, rows in object_ids.reset_index(drop=True).groupby(labels.to_numpy()):
        stream = np.random.default_rng([options.seed, crc32(name.encode())])
        shuffled = stream.permutation(rows.sort_values().index.to_numpy())
        test = _share(len(rows), options.test)
        validation = _share(len(rows) - test, options.validation)
        _require(name, len(rows) - test - validation, len(rows))
        sides[shuffled[:test]] = "test"
        sides[shuffled[test : test + validation]] = "validation"
    return sides


def split_by_group(labels: pd.Series, groups: np.ndarray, options: SplitOptions) -> np.ndarray:
    """Divide whole groups, keeping the share of every class as far as groups allow.

    Shares are met in steps of a twentieth, or of one object of the smallest class.

    Args:
        labels: (n,) str.
        groups: (n,) int64; rows with the same number stay together.
        options: Shares and seed.

    Returns:
        (n,) str: ``train``, ``validation`` or ``test``.

    Raises:
        SubsetError: A class has too few groups to stand on every side.
    """
    labels, sides = labels.to_numpy(), np.full(len(labels), "train", object)
    for side, share in (("test", options.test), ("validation", options.validation)):
        rest = np.flatnonzero(sides == "train")
        if share:
            _require_groups(labels[rest], groups[rest])
            sides[rest[_take(labels[rest], groups[rest], share, options.seed)]] = side
    for name in np.unique(labels):
        here = sides[labels == name]
        wanted = ["train", "test", *(["validation"] if options.validation else [])]
        _require(name, min(int((here == side).sum()) for side in wanted), len(here))
    return sides


def connect(object_ids: pd.Series, pairs: pd.DataFrame, same: pd.Series | None = None) -> np.ndarray:
    """Find what belongs together, by a pair or an equal value.

    Args:
        object_ids: (n,) int64, unique.
        pairs: ``object_id`` and ``near``; those with an object that is not among them count for nothing.
        same: (n,) str; equal values belong together, each of several for itself (`SEPARATOR`); ``""``
            counts for nothing.

    Returns:
        (n,) int64: position of the first that each is connected with.
    """
    position = pd.Series(np.arange(len(object_ids)), index=object_ids.to_numpy())
    known = pairs[pairs.isin(set(position.index)).all(axis=1)]
    links = [position[known[column]].to_numpy() for column in ("object_id", "near")]
    if same is not None:
        named = one_a_row(same.reset_index(drop=True))
        first = pd.Series(named.index, index=named.to_numpy()).groupby(level=0).transform("first")
        links = [np.concatenate([links[0], named.index]), np.concatenate([links[1], first.to_numpy(np.int64)])]
    return group_pairs(np.stack(links, axis=1), len(object_ids))


def one_a_row(values: pd.Series) -> pd.Series:
    """Each of several values that stand in one text (`SEPARATOR`) in a row of its own, under the index of the text.

    Args:
        values: str; ``""`` for none, of which there is no row then.
    """
    each = values.str.split(SEPARATOR, regex=False).explode().str.strip()
    return each[each != ""]


def _share(size: int, share: float) -> int:
    return max(1, round(size * share)) if share else 0


def _require(name: str, smallest: int, size: int) -> None:
    if smallest < 1:
        raise SubsetError(
            f"The class {name!r} with its {size} objects does not come to stand on every side of the split. "
            "Raise subset.classes.min_images, choose a subset.split.group_by with smaller groups, or another seed."
        )


def _require_groups(labels: np.ndarray, groups: np.ndarray) -> None:
    for name, numbers in pd.Series(groups).groupby(labels):
        _require(str(name), numbers.nunique() - 1, len(numbers))


def _take(labels: np.ndarray, groups: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Positions of about ``share`` of the rows, in whole groups."""
    from sklearn.model_selection import StratifiedGroupKFold

    finest = max(2, min(FINEST, int(pd.Series(labels).value_counts().min())))
    inside = min(max(share, 1 / finest), 1 - 1 / finest)  # never no part, and never all of them
    fraction = Fraction(inside).limit_denominator(finest)
    splitter = StratifiedGroupKFold(fraction.denominator, shuffle=True, random_state=seed)
    parts = [part for _, part in splitter.split(labels, labels, groups)]
    return np.concatenate(parts[: fraction.numerator])
