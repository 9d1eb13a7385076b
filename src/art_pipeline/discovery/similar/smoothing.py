"""Rows averaged with their nearest ones, so that what they have in common counts more.

Database-side feature augmentation and query expansion (Turcot & Lowe 2009, "Better matching with fewer features";
Arandjelović & Zisserman 2012, "Three things everyone should know to improve object retrieval").
"""

import numpy as np
from numpy.typing import NDArray

from art_pipeline.discovery.nearest import nearest, unit_rows

POWER = 3  # of a similarity, as a weight
Rows = NDArray[np.float32]


def smooth(rows: Rows, neighbours: int, rounds: int) -> Rows:
    """Average each row with its nearest ones, several times.

    Args:
        rows: (n, length) float32 of unit length.
        neighbours: Nearest rows that are averaged with each row.
        rounds: Number of times; 0 returns the rows.

    Returns:
        (n, length) float32 of unit length.

    Examples:
        >>> rows = unit_rows(np.array([[1, 0], [1, 1], [0, 1]]))
        >>> [round(float(one), 2) for one in smooth(rows, neighbours=1, rounds=1)[0]]
        [0.98, 0.2]
    """
    for _ in range(rounds):
        rows = _averages(rows, rows, rows, neighbours + 1)  # a row is its own nearest one
    return rows


def place(queries: Rows, plain: Rows, smoothed: Rows, neighbours: int) -> Rows:
    """Return (m, length) rows of new images among smoothed ones: averages of those that are nearest before smoothing.

    Args:
        queries: (m, length) float32 of unit length.
        plain: (n, length) rows before smoothing.
        smoothed: (n, length) rows after it.
        neighbours: As for `smooth`.
    """
    return unit_rows(queries + _averages(queries, plain, smoothed, neighbours))


def _averages(queries: Rows, compared: Rows, averaged: Rows, count: int) -> Rows:
    found = nearest(queries, compared, count)
    weights = np.clip(found.similarities, 0, None) ** POWER
    means = np.stack([weight @ averaged[near] for weight, near in zip(weights, found.indices, strict=True)])
    return unit_rows(means)
