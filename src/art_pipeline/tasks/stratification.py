"""Splits of multi-label tasks by iterative stratification, of single images or of whole groups."""

import logging
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.progress import titled
from art_pipeline.errors import SubsetError
from art_pipeline.tasks.label_sets import count_labels, label_matrix
from art_pipeline.tasks.options import SplitOptions

log = logging.getLogger(__name__)

SPLITS = ("train", "test", "validation")  # in the order of their need for an image of each label
LISTED = 10  # labels in a message
TOLERATED = 0.05, 2  # share of a label's images, and images on top, that a split may have too many or too few


def split_label_sets(
    object_ids: "pd.Series[int]",
    labels: "pd.Series[str]",
    options: SplitOptions,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.object_]:
    """Split images so that each split has its share of each label.

    Without groups by iterative stratification (Sechidis et al. 2011, "On the stratification of multi-label data"; the
    library iterative-stratification); with groups by `stratify_groups`. Each label has an image in training, and in
    the other splits where its images allow.

    Args:
        object_ids: (n,) int64, unique. The order of rows does not change the result.
        labels: (n,) str, label sets.
        options: Shares and seed.
        groups: (n,) int64; rows with the same number stay together. None for no groups.

    Returns:
        (n,) str: ``train``, ``validation`` or ``test``.

    Raises:
        SubsetError: There are too few images or groups for all splits.
    """
    order = np.argsort(object_ids.to_numpy())
    matrix = label_matrix(labels.iloc[order], list(count_labels(labels).index))
    rest, validation = 1 - options.test, options.validation
    shares = np.array([rest * (1 - validation), options.test, *([rest * validation] if validation else [])])
    if groups is None:
        found = _stratify_images(matrix, shares, options.seed)
    else:
        found = stratify_groups(matrix, pd.factorize(groups[order])[0], shares, options.seed)
    _require_images(found, len(shares), groups is not None)
    splits = np.empty(len(order), object)
    splits[order] = np.array(SPLITS, object)[found]
    return splits


def stratify_groups(
    matrix: NDArray[np.bool_], groups: NDArray[np.int64], shares: NDArray[np.float64], seed: int
) -> NDArray[np.int64]:
    """Split whole groups by iterative stratification.

    As Sechidis et al. (2011) do with images, the label with the fewest remaining images comes next, and each of its
    groups, the largest first, goes to the split that lacks most images of the label. Then single groups move to
    another split as long as this reduces the squared differences of the labels' shares, or gives a label its first
    image in a split; so no move of one group could improve the result.

    Args:
        matrix: (n, labels) bool.
        groups: (n,) int64, 0 to the number of groups - 1.
        shares: (splits,) float64, which add up to 1. A label needs an image of the first split most.
        seed: Random seed, for ties.

    Returns:
        (n,) int64: position in ``shares``.
    """
    rng = np.random.default_rng(seed)
    counts = _count_groups(matrix, groups)
    state = _Assignment(counts, shares)
    _assign(state, rng)
    _improve(state, rng.permutation(counts.shape[0]))
    return state.splits[groups]


def labels_without(labels: "pd.Series[str]", splits: NDArray[np.object_], split: str) -> list[str]:
    """Return the labels that no image of a split has, sorted."""
    return sorted(set(count_labels(labels).index) - set(count_labels(labels[splits == split]).index))


def log_missing_labels(labels: "pd.Series[str]", splits: NDArray[np.object_], options: SplitOptions) -> None:
    """Log a warning for each split that lacks images of some labels."""
    needed = SPLITS if options.validation else SPLITS[:2]
    effects = {"train": "cannot be learnt", "test": "are not evaluated", "validation": "are not validated"}
    for split in needed:
        if missing := labels_without(labels, splits, split):
            shown = ", ".join(missing[:LISTED]) + (", …" if len(missing) > LISTED else "")
            text = f"{len(missing)} labels have no {split} image, so that they {effects[split]}: {shown}."
            log.warning("%s", titled(text))


class _Assignment:
    """Groups in splits, and what a move of a group would change.

    The cost to reduce is the sum, over labels and splits, of squared differences between the wanted and the reached
    share of the label; a label without any image in a split costs more than all differences together, and
    more so in the splits that come first.

    Attributes:
        counts: (groups, labels + 1) SciPy CSR array: images of each label, and all images in the last column.
        splits: (groups,) int64; -1 before a group is in a split.
        reached: (splits, labels + 1) images.
        wanted: (splits, labels + 1) images.
    """

    def __init__(self, counts: Any, shares: NDArray[np.float64]) -> None:
        self.counts = counts
        self.splits = np.full(counts.shape[0], -1, np.int64)
        self.totals = np.asarray(counts.sum(axis=0), float)
        self.wanted = np.outer(shares, self.totals)
        self.reached = np.zeros_like(self.wanted)
        columns = len(self.totals)
        self._empty_cost = (2 * columns + 1) * (columns + 1.0) ** np.arange(len(shares))[::-1, None]

    def row(self, group: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the columns of a group, and its images in each."""
        own = slice(self.counts.indptr[group], self.counts.indptr[group + 1])
        return self.counts.indices[own], self.counts.data[own]

    def put(self, group: int, split: int) -> None:
        """Move a group to a split."""
        columns, images = self.row(group)
        if self.splits[group] >= 0:
            self.reached[self.splits[group], columns] -= images
        self.reached[split, columns] += images
        self.splits[group] = split

    def gains(self, group: int) -> NDArray[np.float64]:
        """Return how much the cost falls if a group moves to each split; (splits,), 0 for its own."""
        columns, images = self.row(group)
        own, total = self.splits[group], self.totals[columns]
        left = self.reached[:, columns].copy()
        left[own] -= images
        distance = (left - self.wanted[:, columns]) / total
        # (x + a)² - x² where a group of the share a arrives at the distance x
        arrival = (2 * distance + images / total) * images / total - self._empty_cost * (left == 0)
        cost = arrival.sum(axis=1)
        gains: NDArray[np.float64] = cost[own] - cost
        return gains


def _assign(state: _Assignment, rng: np.random.Generator) -> None:
    """Put every group in a split, rare labels first."""
    by_label, remaining = state.counts.tocsc(), state.totals.copy()
    ties = rng.permutation(len(remaining) - 1)
    while (remaining[:-1] > 0).any():
        left = np.flatnonzero(remaining[:-1] > 0)
        label = int(left[np.lexsort((ties[left], remaining[left]))[0]])
        own = slice(by_label.indptr[label], by_label.indptr[label + 1])
        members, images = by_label.indices[own], by_label.data[own]
        for group in _largest_first(members, images, state.splits, rng):
            _put_where_wanted(state, group, label, rng)
            columns, counted = state.row(group)
            remaining[columns] -= counted
    sizes = state.totals.size - 1
    own = slice(by_label.indptr[sizes], by_label.indptr[sizes + 1])
    for group in _largest_first(by_label.indices[own], by_label.data[own], state.splits, rng):
        _put_where_wanted(state, group, sizes, rng)


def _largest_first(
    members: NDArray[np.int64], images: NDArray[np.float64], splits: NDArray[np.int64], rng: np.random.Generator
) -> list[int]:
    """Return the groups that are in no split yet."""
    free = splits[members] < 0
    members, images = members[free], images[free]
    ordered: list[int] = members[np.lexsort((rng.permutation(len(members)), -images))].tolist()
    return ordered


def _put_where_wanted(state: _Assignment, group: int, column: int, rng: np.random.Generator) -> None:
    columns = [-1, column]
    lacking = state.wanted[:, columns] - state.reached[:, columns]
    state.put(group, int(np.lexsort((rng.permutation(len(lacking)), *lacking.T))[-1]))


def _improve(state: _Assignment, order: NDArray[np.int64]) -> bool:
    """Move single groups until no move reduces the cost; return whether any moved."""
    moved, improving = False, True
    while improving:
        improving = False
        for group in order.tolist():
            gains = state.gains(group)
            if gains.max() > 1e-9:  # noqa: PLR2004 - rounding
                state.put(group, int(gains.argmax()))
                moved = improving = True
    return moved


def _stratify_images(matrix: NDArray[np.bool_], shares: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Split single images, then move some of those whose labels have no image in a split, or too many or too few."""
    from iterstrat.ml_stratifiers import IterativeStratification

    random = np.random.RandomState(seed)  # what the library expects
    order = random.permutation(len(matrix))
    found = np.empty(len(matrix), np.int64)
    found[order] = IterativeStratification(matrix[order], shares, random)
    state = _Assignment(_count_groups(matrix, np.arange(len(matrix))), shares)
    for image, split in enumerate(found.tolist()):
        state.put(image, split)
    _move_unbalanced(state, matrix)
    return state.splits


def _move_unbalanced(state: _Assignment, matrix: NDArray[np.bool_]) -> None:
    share, images = TOLERATED
    allowed, moved = share * state.totals + images, True
    allowed[-1] -= images  # a split's size
    while moved:
        bad = ((state.reached == 0) | (np.abs(state.reached - state.wanted) >= allowed)).any(axis=0)
        moved = _improve(state, np.flatnonzero(matrix[:, bad[:-1]].any(axis=1) | bad[-1]))


def _count_groups(matrix: NDArray[np.bool_], groups: NDArray[np.int64]) -> Any:
    """Return a (groups, labels + 1) CSR array: images of each label, and all images."""
    from scipy.sparse import csr_array

    rows, columns = np.nonzero(matrix)
    rows = np.concatenate([groups[rows], groups])
    columns = np.concatenate([columns, np.full(len(groups), matrix.shape[1])])
    shape = int(groups.max()) + 1, matrix.shape[1] + 1
    counts = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    return counts


def _require_images(found: NDArray[np.int64], number: int, grouped: bool) -> None:
    missing = [SPLITS[split] for split in range(number) if not (found == split).any()]
    if missing:
        remedy = "choose a split.group_by with smaller groups" if grouped else "lower classes.min_images"
        raise SubsetError(
            f"The {len(found)} images are too few for all splits: none is left for {missing[0]}, as each label needs a "
            f"training image. Use more images, or {remedy}."
        )
