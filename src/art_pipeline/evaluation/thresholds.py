"""Thresholds that turn the probabilities of a multi-label model into sets of labels.

Thresholds are chosen on images that the model was not fitted on (validation, or out-of-fold predictions), never on
the test split.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError

Floats, Flags = NDArray[np.float64], NDArray[np.bool_]

GRID = np.round(np.arange(0.01, 1.0, 0.01), 2)


@dataclass(frozen=True)
class LabelThresholds:
    """A threshold for each label, and bounds on the number of labels of an image.

    Attributes:
        labels: Names of the k labels.
        values: (k,) float64; a label is predicted where its probability is at least its threshold.
        least: An image gets at least so many labels: the most probable ones, relative to their thresholds.
        most: And at most so many; None for any number.
    """

    labels: tuple[str, ...]
    values: Floats
    least: int = 0
    most: int | None = None

    def apply(self, probabilities: Floats, labels: tuple[str, ...]) -> Flags:
        """Predict sets of labels.

        Args:
            probabilities: (n, k) in 0..1.
            labels: Names of its columns.

        Returns:
            (n, k) bool.

        Raises:
            EvaluationError: The thresholds are of other labels.
        """
        if tuple(labels) != self.labels:
            other = sorted(set(labels) ^ set(self.labels)) or ["in another order"]
            raise EvaluationError(
                f"The thresholds are for other labels than the predictions: {', '.join(other[:5])}. Choose them again."
            )
        ranks = _ranks(probabilities - self.values)
        predicted = (probabilities >= self.values) | (ranks < self.least)
        return predicted if self.most is None else predicted & (ranks < self.most)


def f_beta(true: Flags, predicted: Flags, beta: float = 2.0) -> Floats:
    """The F-measure of each image: (n,) float64 in 0..1.

    An image without labels counts 1 where none is predicted, and 0 otherwise.

    Args:
        true: (n, k) bool.
        predicted: (n, k) bool.
        beta: How many times recall weighs against precision.
    """
    hits = (true & predicted).sum(axis=1)
    size = beta**2 * true.sum(axis=1) + predicted.sum(axis=1)
    return np.where(size == 0, 1.0, (1 + beta**2) * hits / np.maximum(size, 1e-12))


def choose_global(true: Flags, probabilities: Floats, beta: float = 2.0) -> float:
    """Choose one threshold for all labels: the one with the largest mean F-measure over images.

    Of equal ones, the lowest. Candidates are 0.01 to 0.99.

    Raises:
        EvaluationError: There are no images.
    """
    if not len(true):
        raise EvaluationError("No images to choose a threshold by: keep a validation split, or predict out of fold.")
    scores = [f_beta(true, probabilities >= threshold, beta).mean() for threshold in GRID]
    return float(GRID[int(np.argmax(np.round(scores, 12)))])


def choose_per_label(
    true: Flags, probabilities: Floats, *, beta: float = 2.0, shrinkage: float = 20.0
) -> tuple[float, Floats]:
    """Choose a threshold for each label, drawn towards the global one where the label is rare.

    A label's own threshold has the largest F-measure over images for that label alone. With few positive images
    it is noise; so it weighs ``m / (m + shrinkage)`` against the global threshold, where ``m`` is the number of
    positive images.

    Args:
        true: (n, k) bool.
        probabilities: (n, k) in 0..1.
        beta: Of the F-measure.
        shrinkage: Positive images at which both thresholds weigh the same; 0 for the label's own alone.

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
    """The threshold of a label's largest F-measure; of equal ones, the nearest to the global threshold."""
    predicted = probabilities[:, None] >= GRID
    hits = (true[:, None] & predicted).sum(axis=0)
    size = beta**2 * true.sum() + predicted.sum(axis=0)
    scores = np.round((1 + beta**2) * hits / np.maximum(size, 1e-12), 12)
    best = GRID[scores == scores.max()]
    return float(best[np.argmin(np.abs(best - overall))])


def _ranks(margins: Floats) -> NDArray[np.intp]:
    """The place of each label in its image, largest margin first: (n, k), from 0."""
    return np.argsort(np.argsort(-margins, axis=1, kind="stable"), axis=1, kind="stable")
