"""Thresholds that turn the probabilities of a multi-label model into sets of labels.

Choose thresholds on images that the model was not fitted on (validation, or out-of-fold predictions), never on the
test split.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.errors import EvaluationError

GRID = np.round(np.arange(0.01, 1.0, 0.01), 2)


@dataclass(frozen=True)
class LabelThresholds:
    """A threshold for each label, and limits on the number of labels per image.

    Attributes:
        labels: Names of the k labels.
        values: (k,) float64; a label is predicted if its probability is at least its threshold.
        min_labels: Minimum number of labels per image: the most probable ones, relative to their thresholds.
        max_labels: Maximum number; None for no limit.

    >>> LabelThresholds(("gold", "silk"), np.array([0.5, 0.3])).apply(np.array([[0.6, 0.2]]), ("gold", "silk"))
    array([[ True, False]])
    """

    labels: tuple[str, ...]
    values: Floats
    min_labels: int = 0
    max_labels: int | None = None

    def apply(self, probabilities: Floats, labels: tuple[str, ...]) -> Flags:
        """Predict the labels of images.

        Args:
            probabilities: (n, k) in 0..1.
            labels: Names of its columns.

        Returns:
            (n, k) bool.

        Raises:
            EvaluationError: The thresholds are for other labels.
        """
        if tuple(labels) != self.labels:
            other = sorted(set(labels) ^ set(self.labels)) or ["in another order"]
            raise EvaluationError(
                f"The thresholds are for other labels than the predictions: {', '.join(other[:5])}. Choose them again."
            )
        ranks = _ranks(probabilities - self.values)
        predicted = (probabilities >= self.values) | (ranks < self.min_labels)
        return predicted if self.max_labels is None else predicted & (ranks < self.max_labels)


def f_beta(true: Flags, predicted: Flags, beta: float = 2.0) -> Floats:
    """Return the F-measure of each image: (n,) float64 in 0..1.

    An image without labels scores 1 if none is predicted, and 0 otherwise.

    Args:
        true: (n, k) bool.
        predicted: (n, k) bool.
        beta: Weight of recall relative to precision.

    >>> f_beta(np.array([[True, True]]), np.array([[True, False]]), beta=1.0).round(3)
    array([0.667])
    """
    hits = (true & predicted).sum(axis=1)
    size = beta**2 * true.sum(axis=1) + predicted.sum(axis=1)
    return np.where(size == 0, 1.0, (1 + beta**2) * hits / np.maximum(size, 1e-12))


def choose_global(true: Flags, probabilities: Floats, beta: float = 2.0) -> float:
    """Choose one threshold for all labels, which maximizes the mean F-measure over images.

    Candidates are 0.01 to 0.99; ties go to the lowest.

    Raises:
        EvaluationError: There are no images.

    >>> choose_global(np.array([[True], [False]]), np.array([[0.9], [0.4]]))
    0.41
    """
    if not len(true):
        raise EvaluationError("No images to choose a threshold on: keep a validation split, or predict out of fold.")
    scores = [f_beta(true, probabilities >= threshold, beta).mean() for threshold in GRID]
    return float(GRID[int(np.argmax(np.round(scores, 12)))])


def choose_per_label(
    true: Flags, probabilities: Floats, *, beta: float = 2.0, shrinkage: float = 20.0
) -> tuple[float, Floats]:
    """Choose a threshold for each label, shrunk towards the global threshold where the label is rare.

    The label's own threshold maximizes its F-measure. With few positive images it is noise: its weight against the
    global threshold is ``m / (m + shrinkage)`` for ``m`` positive images.

    Args:
        true: (n, k) bool.
        probabilities: (n, k) in 0..1.
        beta: Weight of recall in the F-measure.
        shrinkage: Number of positive images at which both thresholds have the same weight; 0 for the label's own.

    Returns:
        The global threshold, and (k,) thresholds.

    Raises:
        EvaluationError: There are no images.
    """
    overall = choose_global(true, probabilities, beta)
    positives = true.sum(axis=0)
    own = np.array([_best_of_label(true[:, j], probabilities[:, j], beta, overall) for j in range(true.shape[1])])
    weight = positives / np.maximum(positives + shrinkage, 1e-12)
    return overall, weight * own + (1 - weight) * overall


def _best_of_label(true: Flags, probabilities: Floats, beta: float, overall: float) -> float:
    """Return the threshold that maximizes a label's F-measure; ties go to the nearest to the global threshold."""
    predicted = probabilities[:, None] >= GRID
    hits = (true[:, None] & predicted).sum(axis=0)
    size = beta**2 * true.sum() + predicted.sum(axis=0)
    scores = np.round((1 + beta**2) * hits / np.maximum(size, 1e-12), 12)
    best = GRID[scores == scores.max()]
    return float(best[np.argmin(np.abs(best - overall))])


def _ranks(margins: Floats) -> NDArray[np.intp]:
    """Return each label's rank within its image, from 0 for the largest margin: (n, k)."""
    return np.argsort(np.argsort(-margins, axis=1, kind="stable"), axis=1, kind="stable")
