"""Thresholds that turn the probabilities of a multi-label model into sets of labels.

Choose thresholds on images that the model was not fitted on (validation, or out-of-fold predictions), never on the
test split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.common.options import Options
from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.expected_f import best_labels

GRID = np.round(np.arange(0.01, 1.0, 0.01), 2)
_DECIMALS = 6
_CYCLES = 3
Decision = Literal["thresholds", "expected_f2"]


class ThresholdOptions(Options):
    """``thresholds:`` of a multi-label model: how probabilities become labels.

    Attributes:
        decision: ``thresholds`` predicts the labels that reach their thresholds; ``expected_f2`` the labels that
            maximise the expected F2 of the image, given its probabilities, so that no threshold is used.
        shrinkage: Number of images with a label at which its own threshold has the same weight as the threshold of all
            labels; rarer labels follow the latter. 0 for the label's own.
        min_labels: Minimum number of labels per image: the most probable ones, relative to their thresholds.
        max_labels: Maximum number of labels per image; null for no limit.
    """

    decision: Decision = "thresholds"
    shrinkage: float = Field(default=20.0, ge=0)
    min_labels: int = Field(default=0, ge=0)
    max_labels: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _limits_are_ordered(self) -> Self:
        if self.max_labels is not None and self.max_labels < self.min_labels:
            raise ValueError(f"max_labels is {self.max_labels}, less than min_labels, {self.min_labels}")
        return self


@dataclass(frozen=True)
class LabelThresholds:
    """A threshold for each label, and limits on the number of labels per image.

    Attributes:
        labels: Names of the k labels.
        values: (k,) float64; a label is predicted if its probability is at least its threshold. NaN for a label that is
            never predicted.
        min_labels: Minimum number of labels per image: the most probable ones, relative to their thresholds.
        max_labels: Maximum number; None for no limit.
        decision: As in `ThresholdOptions`.

    >>> LabelThresholds(("gold", "silk"), np.array([0.5, 0.3])).apply(np.array([[0.6, 0.2]]), ("gold", "silk"))
    array([[ True, False]])
    """

    labels: tuple[str, ...]
    values: Floats
    min_labels: int = 0
    max_labels: int | None = None
    decision: Decision = "thresholds"

    @property
    def used(self) -> Floats:
        """The thresholds that decide, (k,) float64; NaN if none does."""
        return self.values if self.decision == "thresholds" else np.full(len(self.labels), np.nan)

    def apply(self, probabilities: Floats, labels: Sequence[str]) -> Flags:
        """Predict the labels of images.

        Args:
            probabilities: (n, k) in 0..1.
            labels: Names of its columns.

        Returns:
            (n, k) bool.

        Raises:
            EvaluationError: The thresholds are for other labels.
        """
        self.check_labels(labels)
        if self.decision == "expected_f2":
            predicted, known = np.zeros(probabilities.shape, bool), ~np.isnan(self.values)
            predicted[:, known] = best_labels(probabilities[:, known], self.min_labels, self.max_labels)
            return predicted
        return _predict(probabilities, self.values, self.min_labels, self.max_labels)

    def check_labels(self, labels: Sequence[str]) -> None:
        """Raise an `EvaluationError` unless the thresholds are for these labels, in this order."""
        if tuple(labels) != tuple(self.labels):
            other = sorted(set(labels) ^ set(self.labels)) or ["in another order"]
            raise EvaluationError(
                f"The thresholds are for other labels than the predictions: {', '.join(other[:5])}. Choose them again."
            )


def choose_thresholds(
    true: Flags, probabilities: Floats, labels: Sequence[str], options: ThresholdOptions | None = None
) -> LabelThresholds:
    """Choose a model's thresholds, on images that it was not trained on and that are not of the test split.

    Args:
        true: (n, k) bool.
        probabilities: (n, k) in 0..1.
        labels: Names of the k labels.
        options: How they are chosen; None for the defaults.

    Raises:
        EvaluationError: There are no images, or fewer labels than an image shall have.

    >>> choose_thresholds(np.array([[True], [False]]), np.array([[0.9], [0.4]]), ["gold"]).values
    array([0.41])
    """
    used = options or ThresholdOptions()
    if used.min_labels > len(labels):
        raise EvaluationError(
            f"thresholds.min_labels is {used.min_labels}, but there are {len(labels)} labels: lower it."
        )
    _, values = choose_per_label(true, probabilities, shrinkage=used.shrinkage)
    limits = used.min_labels, used.max_labels
    return LabelThresholds(tuple(labels), np.round(values, _DECIMALS), *limits, used.decision)


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
    size = beta**2 * true.sum(axis=1) + predicted.sum(axis=1)
    return _measure((true & predicted).sum(axis=1), size, beta)


def _measure(hits: NDArray[Any], size: NDArray[Any], beta: float) -> Floats:
    """Return the F-measure of numbers of correctly predicted labels and of ``beta² · true + predicted`` labels."""
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
    return float(GRID[_best_global(true, _levels(probabilities), beta)])


def choose_per_label(
    true: Flags, probabilities: Floats, *, beta: float = 2.0, shrinkage: float = 20.0
) -> tuple[float, Floats]:
    """Choose a threshold for each label, shrunk towards the global threshold where the label is rare.

    Beginning with the global threshold, one label's threshold after the other is changed to the one that maximizes the
    mean F-measure over images, a few times in turn (Fan & Lin 2007, "A Study on Threshold Selection for Multi-label
    Classification": cyclic optimization). With few images, the result is noise: its weight against the global
    threshold is ``m / (m + shrinkage)`` for a label of ``m`` images.

    Args:
        true: (n, k) bool.
        probabilities: (n, k) in 0..1.
        beta: Weight of recall in the F-measure.
        shrinkage: Number of images with the label at which both thresholds have the same weight; 0 for the label's own.

    Returns:
        The global threshold, and (k,) thresholds.

    Raises:
        EvaluationError: There are no images.
    """
    overall, levels = choose_global(true, probabilities, beta), _levels(probabilities)
    own = GRID[_best_of_labels(true, levels, int(np.argmin(np.abs(GRID - overall))), beta)]
    positives = true.sum(axis=0)
    weight = np.where(positives > 0, positives / np.maximum(positives + shrinkage, 1), 0.0)
    return overall, weight * own + (1 - weight) * overall


def _levels(probabilities: Floats) -> NDArray[np.intp]:
    """Return how many candidates each probability reaches: candidate i predicts the labels of levels above i."""
    return np.searchsorted(GRID, probabilities, side="right")


def _best_global(true: Flags, levels: NDArray[np.intp], beta: float) -> int:
    """Return the position of the best candidate for all labels."""
    n, width = len(true), len(GRID) + 1
    cells = (levels + width * np.arange(n)[:, None]).ravel()
    given, hits = (
        np.bincount(cells, weights=weights, minlength=n * width).reshape(n, width)[:, ::-1].cumsum(axis=1)[:, -2::-1]
        for weights in (None, true.ravel().astype(np.float64))
    )
    scores = _measure(hits, beta**2 * true.sum(axis=1)[:, None] + given, beta).mean(axis=0)
    return int(np.argmax(np.round(scores, 12)))


def _best_of_labels(true: Flags, levels: NDArray[np.intp], start: int, beta: float) -> NDArray[np.intp]:
    """Return the positions of the candidates of each label, by cyclic optimization from the same one for all."""
    chosen, predicted = np.full(true.shape[1], start), levels > start
    hits, size = (true & predicted).sum(axis=1), beta**2 * true.sum(axis=1) + predicted.sum(axis=1)
    for j in list(range(true.shape[1])) * _CYCLES:
        own = true[:, j]
        hits, size = hits - (own & predicted[:, j]), size - predicted[:, j]
        gains = _measure(hits + own, size + 1, beta) - _measure(hits, size, beta)
        by_level = np.bincount(levels[:, j], weights=gains, minlength=len(GRID) + 1)
        scores = np.round(by_level[::-1].cumsum()[-2::-1], 9)
        best = np.flatnonzero(scores == scores.max())
        chosen[j] = best[np.argmin(np.abs(best - start))]
        predicted[:, j] = levels[:, j] > chosen[j]
        hits, size = hits + (own & predicted[:, j]), size + predicted[:, j]
    return chosen


def _predict(probabilities: Floats, thresholds: Floats, least: int, most: int | None) -> Flags:
    predicted: Flags = probabilities >= thresholds
    if least:
        predicted |= (_ranks(probabilities - thresholds) < least) & ~np.isnan(thresholds)
    if most is not None and most < probabilities.shape[1]:
        predicted &= _ranks(probabilities - thresholds) < most
    return predicted


def _ranks(margins: Floats) -> NDArray[np.intp]:
    """Return each label's rank within its image, from 0 for the largest margin: (n, k)."""
    return np.argsort(np.argsort(-margins, axis=1, kind="stable"), axis=1, kind="stable")
