"""Losses of networks, beside the cross-entropy of one class per image.

Imports Keras: call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from art_pipeline.common.arrays import Floats

# Strength of the costs of mistakes in each loss, unless another is given.
STRENGTHS = {"soft_labels": 10.0, "expected_cost": 1.0, "distance_weighted": 1.0, "logit_adjusted": 1.0}
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


class SoftLabels(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Cross-entropy with soft labels (Bertinetto et al. 2020, "Making better mistakes", section 3.2).

    The target of a class is proportional to ``exp(-strength * cost)`` of predicting it in place of the true class.

    Args:
        costs: (k, k) costs of mistakes; only their ratios count.
        strength: Their beta.
        label_smoothing: Share of a target that is spread evenly over all classes.
    """

    def __init__(self, costs: Floats, strength: float, label_smoothing: float = 0.0):
        super().__init__(name="soft_labels")
        weights = np.exp(-strength * costs / costs.max())
        soft = weights / weights.sum(axis=1, keepdims=True)
        self._targets = ((1 - label_smoothing) * soft + label_smoothing / len(costs)).astype(np.float32)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the (n,) losses of (n, k) one-hot targets and probabilities."""
        return ops.categorical_crossentropy(ops.matmul(y_true, self._targets), y_pred)


class ExpectedCost(keras.losses.CategoricalCrossentropy):  # type: ignore[misc]
    """Cross-entropy, and the expected cost of the probabilities, as a share of the highest cost, times ``strength``.

    Args:
        costs: As in `SoftLabels`.
        strength: Factor of the expected cost.
        label_smoothing: As in `SoftLabels`.
    """

    def __init__(self, costs: Floats, strength: float, label_smoothing: float = 0.0):
        super().__init__(label_smoothing=label_smoothing, name="expected_cost")
        self._costs = (strength * costs / costs.max()).astype(np.float32)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the (n,) losses of (n, k) one-hot targets and probabilities."""
        expected = ops.sum(ops.matmul(y_true, self._costs) * y_pred, axis=-1)
        return super().call(y_true, y_pred) + expected


class DistanceWeighted(keras.losses.Loss):  # type: ignore[misc]
    """Class distance weighted cross-entropy (Polat et al. 2022, "Class distance weighted cross-entropy loss").

    The loss is ``-sum(cost ** strength * log(1 - p))`` over the wrong classes.

    Args:
        costs: As in `SoftLabels`.
        strength: Their alpha.
        label_smoothing: As in `SoftLabels`.
    """

    def __init__(self, costs: Floats, strength: float, label_smoothing: float = 0.0):
        super().__init__(name="distance_weighted")
        self._costs, self._smoothing = ((costs / costs.max()) ** strength).astype(np.float32), label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the (n,) losses of (n, k) one-hot targets and probabilities."""
        targets = y_true * (1 - self._smoothing) + self._smoothing / len(self._costs)
        wrong = ops.log(ops.maximum(1 - y_pred, keras.config.epsilon()))
        return -ops.sum(ops.matmul(targets, self._costs) * wrong, axis=-1)


class LogitAdjusted(keras.losses.CategoricalCrossentropy):  # type: ignore[misc]
    """Logit-adjusted cross-entropy (Menon et al. 2021, "Long-tail learning via logit adjustment", equation 10).

    Args:
        counts: (k,) training images of each class.
        strength: Their tau.
        label_smoothing: As in `SoftLabels`.
    """

    def __init__(self, counts: NDArray[Any], strength: float, label_smoothing: float = 0.0):
        super().__init__(label_smoothing=label_smoothing, name="logit_adjusted")
        self._shares = (counts / counts.max()).astype(np.float64) ** strength

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the (n,) losses of (n, k) one-hot targets and probabilities."""
        adjusted = y_pred * self._shares.astype(np.float32)
        return super().call(y_true, adjusted / ops.sum(adjusted, axis=-1, keepdims=True))


OF_COSTS = {"soft_labels": SoftLabels, "expected_cost": ExpectedCost, "distance_weighted": DistanceWeighted}
