"""Exact nearest neighbours by cosine similarity, a block at a time, in NumPy."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags
from art_pipeline.errors import DiscoveryError

QUERY_BLOCK, ROW_BLOCK = 256, 1 << 14
Allowed = Callable[[slice, slice], Flags]


class Neighbours(NamedTuple):
    """The nearest rows of each query, the nearest first.

    Attributes:
        indices: (queries, k) int64, positions of rows; -1 where fewer than k rows are allowed.
        similarities: (queries, k) float32, cosine similarities, in -1..1; minus infinity where there is no row.
    """

    indices: NDArray[np.int64]
    similarities: NDArray[np.float32]


def unit_rows(rows: np.ndarray) -> NDArray[np.float32]:
    """Return a copy of (n, length) vectors as float32, each divided by its length; a zero vector stays zero.

    Raises:
        DiscoveryError: A value is NaN or infinite.

    Examples:
        >>> unit_rows(np.array([[3, 4], [0, 0]])).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    copy = np.array(rows, np.float32)
    for start in range(0, len(copy), ROW_BLOCK):
        block = copy[start : start + ROW_BLOCK]
        lengths = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
        if not np.isfinite(lengths).all():
            first = start + int((~np.isfinite(lengths)).argmax())
            raise DiscoveryError(f"The features of image {first} are not finite. Compute the features again.")
        block /= np.where(lengths > 0, lengths, 1)[:, None].astype(np.float32)
    return copy


def nearest(queries: np.ndarray, rows: np.ndarray, k: int, allowed: Allowed | None = None) -> Neighbours:
    """Find the k rows nearest to each query by cosine similarity, exactly.

    Memory beyond the result is a block of 256 by 16,384 similarities. Of equally near rows, the first come first.

    Args:
        queries: (m, length) float32 of unit length; see `unit_rows`.
        rows: (n, length) float32 of unit length.
        k: Number of neighbours, from 1; a query that is itself one of the rows finds itself.
        allowed: Returns for a slice of queries and a slice of rows (queries, rows) flags: which rows may be neighbours
            of which queries. None for all.

    Returns:
        Indices and similarities, each (m, min(k, n)).

    Raises:
        DiscoveryError: k is below 1, or the lengths of queries and rows differ.

    Examples:
        >>> rows = unit_rows(np.array([[1, 0], [0, 1], [1, 1]]))
        >>> nearest(rows[:1], rows, k=2).indices.tolist()
        [[0, 2]]
    """
    if k < 1:
        raise DiscoveryError(f"Cannot find {k} neighbours: ask for at least 1.")
    if queries.shape[1] != rows.shape[1]:
        raise DiscoveryError(f"Queries have {queries.shape[1]} features, and rows {rows.shape[1]}: give the same.")
    k = min(k, len(rows))
    found = Neighbours(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))
    for some in _slices(len(queries), QUERY_BLOCK):
        for part in _slices(len(rows), ROW_BLOCK):
            similarities = queries[some] @ rows[part].T
            if allowed is not None:
                similarities[~allowed(some, part)] = -np.inf
            for number, row in enumerate(similarities, start=some.start):
                _merge(found, number, row, part.start)
    return found


def _merge(found: Neighbours, query: int, similarities: np.ndarray, start: int) -> None:
    """Put the nearest of some further rows among the nearest so far; the rows' positions begin at `start`."""
    k = found.indices.shape[1]
    least = found.similarities[query, -1]
    if len(similarities) > k:
        least = max(least, np.partition(similarities, -k)[-k])
    near = np.flatnonzero((similarities >= least) & (similarities > -np.inf))
    values = np.concatenate([found.similarities[query], similarities[near]])
    indices = np.concatenate([found.indices[query], near + start])
    order = np.argsort(-values, kind="stable")[:k]  # earlier rows stand before later ones
    found.similarities[query], found.indices[query] = values[order], indices[order]


def _slices(total: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, total)) for start in range(0, total, size))
