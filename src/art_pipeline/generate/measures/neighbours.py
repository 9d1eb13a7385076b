"""Distances between rows, and the nearest row of another set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Nearest:
    """The nearest row of a set for each row of another.

    Attributes:
        positions: (n,) int64, of the nearest row.
        distances: (n,) float64, its distance.
    """

    positions: NDArray[np.int64]
    distances: NDArray[np.float64]


def distances(first: NDArray[np.number], second: NDArray[np.number]) -> NDArray[np.float64]:
    """Return the (n, m) Euclidean distances between the rows of two sets, of the same number of columns."""
    left, right = first.astype(np.float64), second.astype(np.float64)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * left @ right.T
    found: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0))
    return found


def nearest(rows: NDArray[np.number], others: NDArray[np.number], *, same: bool = False) -> Nearest:
    """Return the nearest of the other rows.

    Args:
        rows: (n, d).
        others: (m, d).
        same: Whether both are the same set, in which no row is its own neighbour.
    """
    found = distances(rows, others)
    if same:
        np.fill_diagonal(found, np.inf)
    positions = found.argmin(axis=1)
    return Nearest(positions.astype(np.int64), found[np.arange(len(found)), positions])
