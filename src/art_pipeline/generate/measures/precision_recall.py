"""Precision and recall of generated images (Kynkäänniemi et al. 2019, "Improved precision and recall metric")."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError
from art_pipeline.generate.measures.neighbours import distances

Features = NDArray[np.floating]


@dataclass(frozen=True)
class PrecisionRecall:
    """How generated images cover real ones.

    Attributes:
        precision: Share of generated images within the real images' manifold: fidelity.
        recall: Share of real images within the generated images' manifold: diversity.
    """

    precision: float
    recall: float


def precision_recall(real: Features, generated: Features, neighbours: int = 3) -> PrecisionRecall:
    """Compare two sets by their manifolds: the balls around each image that reach to its k-th neighbour.

    Sets of equal size should be compared: with more images, the balls are smaller.

    Args:
        real: (n, d) features, n > ``neighbours``.
        generated: (m, d) features, m > ``neighbours``.
        neighbours: k.

    Raises:
        EvaluationError: A set is too small.

    >>> rows = np.arange(20.0)[:, None]
    >>> precision_recall(rows, rows[:5])
    PrecisionRecall(precision=1.0, recall=0.4)
    """
    for name, rows in (("real", real), ("generated", generated)):
        if len(rows) <= neighbours:
            raise EvaluationError(f"There are {len(rows)} {name} images; {neighbours + 1} are needed at least.")
    between = distances(real, generated)
    precision = (between <= _radii(real, neighbours)[:, None]).any(axis=0).mean()
    recall = (between <= _radii(generated, neighbours)[None]).any(axis=1).mean()
    return PrecisionRecall(float(precision), float(recall))


def _radii(rows: Features, neighbours: int) -> NDArray[np.float64]:
    """Return the distance of each row to its k-th neighbour, itself not counted."""
    radii: NDArray[np.float64] = np.sort(distances(rows, rows), axis=1)[:, neighbours]
    return radii
