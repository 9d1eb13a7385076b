"""Trained one-vs-rest SVMs (Cortes & Vapnik 1995) as plain arrays; `search` trains them."""

from dataclasses import dataclass

import numpy as np

from art_pipeline.common.arrays import Arrays
from art_pipeline.models.svm.calibration import calibrate


@dataclass(frozen=True)
class RbfSvm(Arrays):
    """One-vs-rest SVM with an RBF kernel.

    Attributes:
        support: (n, features) float64, the support vectors of all classes.
        dual: (n, classes) float64, their dual coefficients; 0 where a vector does not support a class.
        intercept: (classes,) float64.
        gamma: Kernel coefficient.
        calibration: (2, classes) float64; see `art_pipeline.models.svm.calibration.fit_sigmoids`.
        multilabel: Whether each label has a probability of its own; otherwise those of an example sum to 1.
    """

    support: np.ndarray
    dual: np.ndarray
    intercept: np.ndarray
    gamma: float
    calibration: np.ndarray
    multilabel: bool = False

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        """Return the (n, classes) float64 decision values of (n, features) examples."""
        if not len(features):
            return np.empty((0, len(self.intercept)))
        kernel = np.exp(-self.gamma * squared_distances(features, self.support))
        values: np.ndarray = kernel @ self.dual + self.intercept
        return values

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return the (n, classes) float64 probabilities of (n, features) examples."""
        return calibrate(self.decision_function(features), self.calibration, self.multilabel)


@dataclass(frozen=True)
class LinearSvm(Arrays):
    """One-vs-rest linear SVM.

    Attributes:
        weights: (classes, features) float32.
        intercept: (classes,) float64.
        calibration: As in `RbfSvm`.
        multilabel: As in `RbfSvm`.
    """

    weights: np.ndarray
    intercept: np.ndarray
    calibration: np.ndarray
    multilabel: bool = False

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        """Return the (n, classes) float64 decision values of (n, features) examples."""
        products: np.ndarray = features.reshape(-1, self.weights.shape[1]) @ self.weights.T
        values: np.ndarray = products.astype(np.float64) + self.intercept
        return values

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return the (n, classes) float64 probabilities of (n, features) examples."""
        return calibrate(self.decision_function(features), self.calibration, self.multilabel)


def squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the (n, m) squared Euclidean distances between (n, features) and (m, features) examples."""
    from sklearn.metrics.pairwise import euclidean_distances

    if not (len(left) and len(right)):  # where all examples have the same labels, no vector supports them
        return np.zeros((len(left), len(right)))
    distances: np.ndarray = euclidean_distances(left, right, squared=True)
    return distances


def resolve_gamma(gamma: str | float, features: np.ndarray) -> float:
    """Return a kernel coefficient as a number, with ``auto`` and ``scale`` as in scikit-learn's ``SVC``.

    Examples:
        >>> resolve_gamma("auto", np.zeros((3, 4)))
        0.25
    """
    n_features: int = features.shape[1]
    if gamma == "auto":
        return 1.0 / n_features
    if gamma == "scale":
        variance = float(features.var())
        return 1.0 / (n_features * variance) if variance > 0 else 1.0
    return float(gamma)
