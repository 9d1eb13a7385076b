"""Losses of multi-label networks.

Imports Keras: call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

from typing import Any

import keras
from keras import ops

FOCUS, MARGIN = 4, 0.05  # of the asymmetric loss, as in section 4 of the paper


class LabelLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Binary cross-entropy of each label; the mean over images and labels, with a weight for each pair.

    Args:
        label_smoothing: Share of a target that is spread evenly over presence and absence.
    """

    def __init__(self, label_smoothing: float = 0.0):
        super().__init__(name="cross_entropy")
        self._smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the (n, labels) losses of (n, labels) targets and probabilities."""
        return ops.binary_crossentropy(self._smooth(y_true), y_pred)

    def _smooth(self, targets: Any) -> Any:
        return targets * (1 - self._smoothing) + 0.5 * self._smoothing


class AsymmetricLoss(LabelLoss):
    """Asymmetric loss (Ridnik et al. 2021, "Asymmetric loss for multi-label classification", equations 5 to 7).

    Absent labels are most of the pairs, and most of them are easy. Their loss has a focusing exponent of 4, and ignores
    probabilities below a margin of 0.05. That of present labels is the cross-entropy: the exponent is 0.

    Args:
        label_smoothing: As in `LabelLoss`.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the (n, labels) losses of (n, labels) targets and probabilities."""
        targets, epsilon = self._smooth(y_true), keras.config.epsilon()
        shifted = ops.maximum(y_pred - MARGIN, 0.0)
        present = ops.log(ops.maximum(y_pred, epsilon))
        absent = shifted**FOCUS * ops.log(1 - shifted)
        return -targets * present - (1 - targets) * absent
