"""Exact search for the nearest rows of a query, fast where the first values of the rows say most."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags
from art_pipeline.errors import DiscoveryError

HEAD = 64  # values of a row that are compared first
GROUP = 1024  # rows of which the most promising one is compared early
EARLY = 8  # times as many rows as neighbours are compared early
DENSE = 8  # if more than one row in so many remains, all are compared
SLACK = np.float32(1e-5)  # above the rounding error of a similarity


class Found(NamedTuple):
    """The nearest rows of one query, the nearest first.

    Attributes:
        indices: (k,) int64, positions of rows.
        similarities: (k,) float32, cosine similarities.
    """

    indices: NDArray[np.int64]
    similarities: NDArray[np.float32]


@dataclass(frozen=True)
class SearchIndex:
    """Rows to search.

    The similarity of two rows of unit length is at most that of their first values plus the product of the lengths of
    what remains (Cauchy & Schwarz). A search compares the first values of all rows, and all values only of rows whose
    bound reaches the k-th best similarity: the result is exact. With principal components, whose first values are the
    largest, few rows remain.

    Attributes:
        rows: (n, length) float32 of unit length.
        head: (n, at most 64) float32, their first values, in one piece of memory.
        rest: (n,) float32, lengths of the remaining values.
    """

    rows: NDArray[np.float32]
    head: NDArray[np.float32]
    rest: NDArray[np.float32]

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> Self:
        """Return the index of (n, length) float32 rows of unit length; see `art_pipeline.discovery.nearest.unit_rows`.

        Raises:
            DiscoveryError: There are no rows.
        """
        if not len(rows):
            raise DiscoveryError("There are no works to search: compute features first.")
        tail = rows[:, HEAD:]
        return cls(rows, np.ascontiguousarray(rows[:, :HEAD]), np.sqrt(np.einsum("ij,ij->i", tail, tail)))

    def nearest(self, query: NDArray[np.float32], k: int, allowed: Flags | None = None) -> Found:
        """Return the k rows nearest to a query by cosine similarity, exactly; of equally near rows the first.

        Args:
            query: (length,) float32 of unit length.
            k: Number of neighbours, from 1; fewer are found where fewer rows are allowed.
            allowed: (n,) which rows may be found; None for all.

        Raises:
            DiscoveryError: k is below 1, or the query is not finite or of another length.

        Examples:
            >>> rows = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
            >>> SearchIndex.of(rows).nearest(rows[1], k=2).indices.tolist()
            [1, 2]
        """
        self._check(query, k)
        candidates = self._candidates(query, k, allowed)
        if candidates is None:
            return _best(np.arange(len(self.rows)), self.rows @ query, k)
        return _best(candidates, self.rows[candidates] @ query, k)

    def _check(self, query: NDArray[np.float32], k: int) -> None:
        if k < 1:
            raise DiscoveryError(f"Cannot find {k} similar works: ask for at least 1.")
        if query.shape != self.rows.shape[1:]:
            raise DiscoveryError(f"The query has {query.size} values, and the works {self.rows.shape[1]}.")
        if not np.isfinite(query).all():
            raise DiscoveryError("The features of the query are not finite. Compute them again.")

    def _candidates(self, query: NDArray[np.float32], k: int, allowed: Flags | None) -> NDArray[np.int64] | None:
        """Return the rows among which the k nearest are; None for all rows."""
        if allowed is not None and allowed.sum() * DENSE < len(self.rows):
            return np.flatnonzero(allowed)
        length = np.float32(np.sqrt((query[HEAD:] ** 2).sum()))
        bounds = self.head @ query[:HEAD] + self.rest * length + SLACK
        if allowed is not None:
            bounds[~allowed] = -np.inf
        found = np.flatnonzero(bounds >= self._least(bounds, query, k))
        return None if allowed is None and len(found) * DENSE > len(self.rows) else found

    def _least(self, bounds: NDArray[np.float32], query: NDArray[np.float32], k: int) -> np.float32:
        """Return a similarity that at least k of the rows have; below that of any allowed row where none is known."""
        whole = len(bounds) // GROUP * GROUP
        tops = bounds[:whole].reshape(-1, GROUP).argmax(axis=1) + np.arange(0, whole, GROUP)
        tops = tops[np.argsort(-bounds[tops], kind="stable")[: k * EARLY]]
        tops = tops[bounds[tops] > -np.inf]
        if len(tops) < k:
            return np.float32(np.finfo(np.float32).min)
        least: np.float32 = np.sort(self.rows[tops] @ query)[-k]
        return least


def _best(indices: NDArray[np.int64], similarities: NDArray[np.float32], k: int) -> Found:
    if len(indices) > k:
        least = np.partition(similarities, -k)[-k]
        near = np.flatnonzero(similarities >= least)
        indices, similarities = indices[near], similarities[near]
    order = np.argsort(-similarities, kind="stable")[:k]
    return Found(indices[order], similarities[order])
