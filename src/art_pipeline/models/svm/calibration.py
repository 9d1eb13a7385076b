"""Sigmoid calibration: decision values to probabilities (Platt 1999, "Probabilistic outputs for SVMs")."""

from collections.abc import Iterator

import numpy as np


def fit_sigmoids(decisions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Fit a sigmoid per class to the decision values of held-out examples.

    Args:
        decisions: (n, classes) float64, predicted out of fold.
        labels: (n,) int64 from 0 to classes - 1.

    Returns:
        (2, classes) float64: slope and intercept of each class. Where decision values do not rise with the
        class, the slope is 0 and the probability is the class's share.

    Examples:
        >>> decisions = np.array([[-2.0, 2.0], [-1.0, 1.0], [1.0, -1.0], [2.0, -2.0]])
        >>> slopes, intercepts = fit_sigmoids(decisions, np.array([1, 1, 0, 0]))
        >>> (slopes > 0).all()
        np.True_
    """
    return np.array(list(_fit_all(decisions, labels))).T


def calibrate(decisions: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """Return (n, classes) float64 probabilities of decision values: sigmoids, normalized so that rows sum to 1."""
    from scipy.special import expit

    positive: np.ndarray = expit(decisions * calibration[0] + calibration[1])
    probabilities: np.ndarray = positive / positive.sum(axis=1, keepdims=True)
    return probabilities


def _fit_all(decisions: np.ndarray, labels: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield slope and intercept of each class.

    Platt's targets (N₊+1)/(N₊+2) and 1/(N₋+2) limit the confidence that few examples allow. They enter a logistic
    regression as weights of a positive and a negative copy of each example.
    """
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression

    truth = np.repeat([1, 0], len(labels))
    for one in range(decisions.shape[1]):
        positive = labels == one
        target = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
        values = np.concatenate([decisions[:, one], decisions[:, one]])[:, None]
        fit = LogisticRegression(C=1e6).fit(values, truth, sample_weight=np.concatenate([target, 1 - target]))
        slope, intercept = fit.coef_[0, 0], fit.intercept_[0]
        yield (slope, intercept) if slope > 0 else (0.0, logit(target.mean()))
