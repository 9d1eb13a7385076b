"""Rows averaged with those of their nearest images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Arrays, Flags
from art_pipeline.discovery.nearest import Allowed, nearest, unit_rows


@dataclass(frozen=True)
class Smoothing(Arrays):
    """What smooths the rows of further images.

    Attributes:
        anchors: (n, dimensions) float32 of unit length, the images' rows.
        neighbours: Number of nearest images that are averaged.
    """

    anchors: NDArray[np.float32]
    neighbours: int

    def apply(self, rows: np.ndarray, own: bool = False) -> NDArray[np.float32]:
        """Return (m, dimensions) rows of unit length: the sum of a row and the mean of its nearest anchors.

        Args:
            rows: (m, dimensions).
            own: Whether they are the rows of the anchors: then an image is not a neighbour of itself.
        """
        queries = unit_rows(rows)
        allowed: Allowed | None = _others if own else None
        found = nearest(queries, self.anchors, min(self.neighbours, len(self.anchors) - own), allowed).indices
        means = np.stack([self.anchors[one].mean(axis=0) for one in found])
        return unit_rows(queries + means)


def _others(queries: slice, rows: slice) -> Flags:
    flags: Flags = np.arange(queries.start, queries.stop)[:, None] != np.arange(rows.start, rows.stop)
    return flags
