"""Distances between rows, and the nearest row of another set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024


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
    """Return the nearest of the other rows; of equally near ones, the first.

    Memory beyond the result is that of 1,024 rows of each set as float64, and their distances.

    Args:
        rows: (n, d).
        others: (m, d).
        same: Whether both are the same set, in which no row is its own neighbour.
    """
    found = Nearest(np.zeros(len(rows), np.int64), np.full(len(rows), np.inf))
    for first in range(0, len(rows), BLOCK):
        for second in range(0, len(others), BLOCK):
            block = distances(rows[first : first + BLOCK], others[second : second + BLOCK])
            if same and first == second:
                np.fill_diagonal(block, np.inf)
            _keep_nearer(found, first, block, second)
    return found


def _keep_nearer(found: Nearest, first: int, block: NDArray[np.float64], second: int) -> None:
    """Update the nearest rows by a block of distances, whose first row and column are those of these positions."""
    positions, lowest = block.argmin(axis=1), block.min(axis=1)
    part = slice(first, first + len(block))
    nearer = lowest < found.distances[part]
    found.positions[part][nearer] = positions[nearer] + second
    found.distances[part][nearer] = lowest[nearer]
