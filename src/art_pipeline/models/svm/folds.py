"""The training set of an SVM and its folds: subsampled and split with the same share of every class or label."""

import logging

import numpy as np
import pandas as pd

from art_pipeline.common.progress import parameter
from art_pipeline.errors import ModelError
from art_pipeline.models.svm.options import LinearSvmOptions
from art_pipeline.models.targets import Targets, as_flags, is_multilabel
from art_pipeline.tasks.groups import connected_groups
from art_pipeline.tasks.stratification import stratify_groups

log = logging.getLogger(__name__)

Fold = tuple[np.ndarray, np.ndarray]  # positions of the training and of the held-out examples


def check_sizes(targets: Targets) -> None:
    """Check that cross-validation is possible.

    Args:
        targets: (n,) int64 from 0 to classes - 1, or (n, labels) bool of a multi-label task.

    Raises:
        ModelError: There are fewer than two classes, or a class has fewer than two examples.
    """
    sizes = class_sizes(targets)
    if len(sizes) < 2:  # noqa: PLR2004
        raise ModelError("A classifier needs at least two classes. Widen classes of its task.")
    if sizes.min() < 2:  # noqa: PLR2004
        raise ModelError(
            "A class has one training image, and cross-validation needs two. Raise the task's classes.min_images."
        )


def class_sizes(targets: Targets) -> np.ndarray:
    """Return the number of examples of each class or label."""
    sizes: np.ndarray = targets.sum(axis=0) if is_multilabel(targets) else np.bincount(targets)
    return sizes


def subsample(targets: Targets, options: LinearSvmOptions, groups: np.ndarray | None = None) -> np.ndarray:
    """Return the positions of at most ``max_examples`` examples, stratified.

    Each class keeps its share, but at least one example per fold, or all examples of a smaller class. The examples of
    a multi-label task are stratified by the rarest of their labels. A group is used or left out as a whole, so that
    what is left out can be predicted by a model that has seen nothing of its group; shares then hold approximately.

    Args:
        targets: (n,) int64 from 0 to classes - 1, where every class occurs; or (n, labels) bool.
        options: Maximum, number of folds and seed.
        groups: (n,) int64; None where each example is on its own.

    Returns:
        (at most min(n, max_examples),) int64, ascending.

    Raises:
        ModelError: ``max_examples`` is too small for one example of each class per fold, or for groups of each class.

    Examples:
        >>> labels = np.repeat([0, 1], [15, 5])
        >>> np.bincount(labels[subsample(labels, LinearSvmOptions(max_examples=12, folds=2))])
        array([9, 3])
    """
    limit = options.max_examples
    if len(targets) <= limit:
        return np.arange(len(targets))
    labels = _rarest(targets) if is_multilabel(targets) else targets
    sizes = np.bincount(labels)
    needed = np.minimum(sizes, options.folds).sum()
    if limit < needed:
        raise ModelError(
            f"{parameter('svm.max_examples')} cannot be {limit}: {len(sizes)} classes in {options.folds} folds need "
            f"{needed}. Raise it, or lower {parameter('svm.folds')}."
        )
    order = np.random.default_rng(options.seed).permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # within the class
    quantile = np.where(rank < options.folds, 0.0, (rank + 0.5) / np.repeat(sizes, sizes))
    ordered = by_class[np.argsort(quantile, kind="stable")]
    chosen = np.sort(ordered[:limit] if groups is None else _whole_groups(ordered, groups, limit))
    flags = as_flags(targets, len(class_sizes(targets)))
    if (flags.any(axis=0) & ~flags[chosen].any(axis=0)).any():
        raise ModelError(
            f"{parameter('svm.max_examples')} cannot be {limit}: no group of a class fits. Raise "
            "it, or group images by a field with smaller groups."
        )
    log.warning("%s: %d of %d images are used", parameter("svm.max_examples"), len(chosen), len(labels))
    return chosen


def _whole_groups(ordered: np.ndarray, groups: np.ndarray, limit: int) -> np.ndarray:
    """Return the members of the first groups that fit into the limit, in the order of their first examples."""
    _, first, group = np.unique(groups[ordered], return_index=True, return_inverse=True)
    sizes, used = np.bincount(group), np.zeros(len(first), bool)
    for number in np.argsort(first):
        used[number] = sizes[number] <= limit
        limit -= sizes[number] if used[number] else 0
    return ordered[used[group]]


def find_groups(manifest: pd.DataFrame, near_duplicates: pd.DataFrame) -> np.ndarray:
    """Return a number per row of a manifest, (n,) int64, which rows that must be in the same fold have in common.

    Args:
        manifest: ``object_id`` and ``group``; rows with a value of it in common are in the same fold.
        near_duplicates: Pairs, ``object_id`` and ``other_id``, which are in the same fold too.
    """
    rows = manifest.reset_index(drop=True)
    return connected_groups(rows["object_id"], near_duplicates, rows["group"])


def split(targets: Targets, options: LinearSvmOptions, groups: np.ndarray | None = None) -> list[Fold]:
    """Return the folds of the cross-validation; fewer than requested where the smallest class has fewer examples.

    Those of a multi-label task are stratified iteratively (Sechidis et al. 2011, "On the stratification of multi-label
    data").

    Args:
        targets: As in `check_sizes`.
        options: Number of folds and seed.
        groups: (n,) int64; examples with the same number are in the same fold. A class may then be absent from the
            examples of a fold. None where each example is on its own.
    """
    number = max(2, int(min(options.folds, class_sizes(targets).min())))
    if groups is not None and len(np.unique(groups)) < len(groups):
        return _split_groups(targets, np.unique(groups, return_inverse=True)[1], number, options.seed)
    settings = {"n_splits": number, "shuffle": True, "random_state": options.seed}
    if is_multilabel(targets):
        from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

        return list(MultilabelStratifiedKFold(**settings).split(targets, targets.astype(np.int64)))
    from sklearn.model_selection import StratifiedKFold

    return list(StratifiedKFold(**settings).split(targets[:, None], targets))


def _split_groups(targets: Targets, groups: np.ndarray, number: int, seed: int) -> list[Fold]:
    number = min(number, int(groups.max()) + 1)
    if is_multilabel(targets):
        found = stratify_groups(targets, groups, np.full(number, 1 / number), seed)
        return [(np.flatnonzero(found != fold), np.flatnonzero(found == fold)) for fold in range(number)]
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    return list(splitter.split(targets[:, None], targets, groups))


def _rarest(targets: np.ndarray) -> np.ndarray:
    """Return a class per example of a multi-label task: its rarest label, or a class of its own without labels."""
    by_size = np.argsort(class_sizes(targets), kind="stable")
    first = np.where(targets.any(axis=1), targets[:, by_size].argmax(axis=1), targets.shape[1])
    return np.unique(first, return_inverse=True)[1]
