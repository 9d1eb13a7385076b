"""Kernel inception distance between two sets of features (Bińkowski et al. 2018, "Demystifying MMD GANs")."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError

DEGREE = 3
LEAST = 2


@dataclass(frozen=True)
class Distance:
    """A distance over random subsets.

    Attributes:
        mean: Mean over the subsets.
        deviation: Standard deviation over the subsets.
    """

    mean: float
    deviation: float


def kernel_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the unbiased squared maximum mean discrepancy with the kernel ``(x·y / d + 1)³``.

    It may be slightly negative where both sets come from one distribution.

    Args:
        first: (n, d) features, n ≥ 2.
        second: (m, d) features, m ≥ 2.

    Raises:
        EvaluationError: A set has fewer than two rows, or the sets have features of different lengths.
    """
    _check(first, second)
    within = sum(_mean_of_pairs(one) for one in (first, second))
    return float(within - 2 * _kernel(first, second).mean())


def subset_distance(
    first: NDArray[np.floating], second: NDArray[np.floating], *, subsets: int, size: int, seed: int
) -> Distance:
    """Return mean and standard deviation of `kernel_distance` over random subsets of both sets.

    Args:
        first: (n, d) features.
        second: (m, d) features.
        subsets: Number of pairs of subsets.
        size: Rows of each subset, drawn without replacement; at most the rows of the smaller set.
        seed: Seed of the subsets.

    >>> rows = np.random.default_rng(0).normal(size=(100, 4))
    >>> near = subset_distance(rows[:50], rows[50:], subsets=10, size=25, seed=0)
    >>> far = subset_distance(rows[:50], rows[50:] + 3, subsets=10, size=25, seed=0)
    >>> near.mean < 1 < far.mean
    True
    """
    _check(first, second)
    size, generator = min(size, len(first), len(second)), np.random.default_rng(seed)
    values = [
        kernel_distance(*(rows[generator.permutation(len(rows))[:size]] for rows in (first, second)))
        for _ in range(subsets)
    ]
    return Distance(float(np.mean(values)), float(np.std(values)))


def _kernel(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    products = first.astype(np.float64) @ second.astype(np.float64).T
    values: NDArray[np.float64] = (products / first.shape[1] + 1) ** DEGREE
    return values


def _mean_of_pairs(rows: NDArray[np.floating]) -> float:
    """Return the mean of the kernel over all pairs of different rows."""
    kernel = _kernel(rows, rows)
    return float((kernel.sum() - np.trace(kernel)) / (len(rows) * (len(rows) - 1)))


def _check(first: NDArray[np.floating], second: NDArray[np.floating]) -> None:
    if min(len(first), len(second)) < LEAST:
        raise EvaluationError(
            f"The sets have {len(first)} and {len(second)} images; a kernel distance needs {LEAST} of each."
        )
    if first.shape[1] != second.shape[1]:
        raise EvaluationError(
            f"The sets have features of lengths {first.shape[1]} and {second.shape[1]}. Compute both with one "
            "extractor."
        )
