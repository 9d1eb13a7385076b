"""One-vs-rest support vector machines (Cortes & Vapnik 1995), as they judge; `svm_search` trains them."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from art_pipeline.common.arrays import Arrays
from art_pipeline.common.options import Options

Price = Annotated[float, Field(gt=0)]
Gamma = Literal["auto", "scale"] | Annotated[float, Field(gt=0)]


class LinearSvmOptions(Options):
    """What is tried, and how the best is found.

    Attributes:
        C: Values tried for the price of a training example on the wrong side.
        folds: Folds of the stratified cross-validation inside the training images.
        class_weight: ``balanced`` makes the price of a class inverse to its size.
        max_examples: Training images at most; of more, so many are drawn, each class in proportion, but
            one a fold of each at least. A machine's time and memory grow with their square: 12,000 take
            about 4 GB on two cores. Fewer than one a fold of each class are refused.
        seed: Seed of the folds, and of what is drawn.
    """

    C: tuple[Price, ...] = Field(default=(0.1, 1.0, 10.0), min_length=1)
    folds: int = Field(default=5, ge=2)
    class_weight: Literal["balanced"] | None = None
    max_examples: int = Field(default=12_000, ge=10, le=12_000)
    seed: int = Field(default=0, ge=0, lt=2**32)


class SvmOptions(LinearSvmOptions):
    """The same for a machine with an RBF kernel.

    Attributes:
        gamma: Values tried for the kernel's width: numbers, ``auto`` (1 / features) or
            ``scale`` (1 / (features · variance)), as scikit-learn defines them.
    """

    gamma: tuple[Gamma, ...] = Field(default=("auto", "scale"), min_length=1)


@dataclass(frozen=True)
class Svm(Arrays):
    """A trained machine with an RBF kernel, as plain arrays.

    Attributes:
        support: (n, features) float64, the training examples that matter to some class.
        dual: (n, classes) float64, their signed weights; 0 where one does not matter.
        intercept: (classes,) float64.
        gamma: Width of the kernel.
        calibration: (2, classes) float64: slope and intercept of each class's logistic
            function from decision value to probability (Platt 1999).
    """

    support: np.ndarray
    dual: np.ndarray
    intercept: np.ndarray
    gamma: float
    calibration: np.ndarray

    def decide(self, features: np.ndarray) -> np.ndarray:
        """(n, features) to (n, classes): distance to each class's margin, inside positive."""
        if not len(features):
            return np.empty((0, len(self.intercept)))
        kernel = np.exp(-self.gamma * squared_distances(features, self.support))
        return kernel @ self.dual + self.intercept

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(n, features) to (n, classes) float64; rows sum to 1."""
        return calibrated(self.decide(features), self.calibration)


@dataclass(frozen=True)
class LinearSvm(Arrays):
    """A trained machine without a kernel, as plain arrays.

    Attributes:
        weights: (classes, features) float32.
        intercept: (classes,) float64.
        calibration: As of `Svm`.
    """

    weights: np.ndarray
    intercept: np.ndarray
    calibration: np.ndarray

    def decide(self, features: np.ndarray) -> np.ndarray:
        """(n, features) to (n, classes): distance to each class's margin, inside positive."""
        return (features.reshape(-1, self.weights.shape[1]) @ self.weights.T).astype(np.float64) + self.intercept

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(n, features) to (n, classes) float64; rows sum to 1."""
        return calibrated(self.decide(features), self.calibration)


def squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(n, features) and (m, features) to (n, m) squared Euclidean distances, 0 or more."""
    from sklearn.metrics.pairwise import euclidean_distances

    return euclidean_distances(left, right, squared=True)


def resolve_gamma(gamma: str | float, features: np.ndarray) -> float:
    """``auto`` and ``scale`` as a number, as scikit-learn's ``SVC`` defines them."""
    if gamma == "auto":
        return 1.0 / features.shape[1]
    if gamma == "scale":
        variance = features.var()
        return 1.0 / (features.shape[1] * variance) if variance > 0 else 1.0
    return float(gamma)


def calibrated(decisions: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """Decision values to probabilities: a logistic function for each class, then rows to sum 1."""
    from scipy.special import expit

    positive = expit(decisions * calibration[0] + calibration[1])
    return positive / positive.sum(axis=1, keepdims=True)
