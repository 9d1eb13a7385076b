"""Labels of an image that maximise the expected F-measure, given the probabilities of its labels.

If labels are independent given the image, the best set has the most probable labels (Lewis 1995, "Evaluating and
optimizing autonomous text classification systems"); only their number has to be found, by the distribution of the
number of true labels among those and among the others (Ye et al. 2012, "Optimizing F-measures: a tale of two
approaches").
"""

from collections.abc import Iterator

import numpy as np

from art_pipeline.common.arrays import Flags, Floats

BLOCK = 512  # images at a time
OTHERS = 64  # true labels that are not predicted; the probability of more is neglected


def best_labels(probabilities: Floats, least: int = 0, most: int | None = None, beta: float = 2.0) -> Flags:
    """Predict the labels of each image that maximise its expected F-measure.

    Args:
        probabilities: (n, k) in 0..1.
        least: Minimum number of labels per image.
        most: Maximum number; None for no limit.
        beta: Weight of recall relative to precision.

    Returns:
        (n, k) bool.

    >>> best_labels(np.array([[0.6, 0.4, 0.1], [0.1, 0.2, 0.1]]))
    array([[ True,  True, False],
           [False, False, False]])
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable")
    sizes = np.zeros(len(probabilities), np.intp)
    limit = probabilities.shape[1] if most is None else min(most, probabilities.shape[1])
    for start in range(0, len(probabilities), BLOCK):
        rows = slice(start, start + BLOCK)
        sorted_ones = np.take_along_axis(probabilities[rows], order[rows], axis=1)
        expected = np.array(list(_expected(sorted_ones, limit, beta)))  # (limit + 1, images)
        sizes[rows] = least + np.argmax(expected[least:].round(12), axis=0)
    best: Flags = ranks < sizes[:, None]
    return best


def _expected(probabilities: Floats, limit: int, beta: float) -> Iterator[Floats]:
    """Yield the expected F-measure of each image if 0, 1, …, ``limit`` of its first labels are predicted."""
    others = _numbers_of_others(probabilities, limit)
    yield others[0][:, 0]  # of no labels: 1 if none is true
    hits = np.ones((len(probabilities), 1))
    for size in range(1, limit + 1):
        hits = _add_label(np.pad(hits, ((0, 0), (0, 1))), probabilities[:, size - 1])
        found, missed = np.arange(size + 1)[:, None], np.arange(others[size].shape[1])
        measure = (1 + beta**2) * found / (beta**2 * (found + missed) + size)
        yield np.sum((hits @ measure) * others[size], axis=1)


def _numbers_of_others(probabilities: Floats, limit: int) -> list[Floats]:
    """Return the distribution of the number of true labels after the first 0, 1, …, ``limit``."""
    n, k = probabilities.shape
    numbers = np.zeros((n, min(k, OTHERS) + 1))
    numbers[:, 0] = 1
    found = []
    for position in range(k, -1, -1):
        if position < k:
            numbers = _add_label(numbers, probabilities[:, position])
        if position <= limit:
            found.append(numbers)
    return found[::-1]


def _add_label(numbers: Floats, probability: Floats) -> Floats:
    """Return the distribution of a number of true labels, with one more label."""
    added = numbers * (1 - probability[:, None])
    added[:, 1:] += numbers[:, :-1] * probability[:, None]
    return added
