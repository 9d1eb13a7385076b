"""Sigmoid calibration: decision values to probabilities (Platt 1999, "Probabilistic outputs for SVMs")."""

from collections.abc import Iterator, Sequence

import numpy as np

from art_pipeline.models.targets import Targets, as_flags


def fit_sigmoids(decisions: np.ndarray, targets: Targets) -> np.ndarray:
    """Fit a sigmoid per class to the decision values of held-out examples.

    Args:
        decisions: (n, classes) float64, predicted out of fold.
        targets: (n,) int64 from 0 to classes - 1, or (n, classes) bool of a multi-label task.

    Returns:
        (2, classes) float64: slope and intercept of each class. Where decision values do not rise with the
        class, the slope is 0 and the probability is the class's share.

    Examples:
        >>> decisions = np.array([[-2.0, 2.0], [-1.0, 1.0], [1.0, -1.0], [2.0, -2.0]])
        >>> slopes, intercepts = fit_sigmoids(decisions, np.array([1, 1, 0, 0]))
        >>> (slopes > 0).all()
        np.True_
    """
    return np.array(list(_fit_all(decisions, as_flags(targets, decisions.shape[1])))).T


def calibrate(decisions: np.ndarray, calibration: np.ndarray, multilabel: bool = False) -> np.ndarray:
    """Return the probabilities of decision values.

    Args:
        decisions: (n, classes) float64.
        calibration: As `fit_sigmoids` returns it.
        multilabel: Whether each label has a probability of its own.

    Returns:
        (n, classes) float64: sigmoids; of a multi-class model, normalized so that rows sum to 1.
    """
    from scipy.special import expit

    positive: np.ndarray = expit(decisions * calibration[0] + calibration[1])
    if multilabel:
        return positive
    probabilities: np.ndarray = positive / positive.sum(axis=1, keepdims=True)
    return probabilities


def calibrate_out_of_fold(
    decisions: np.ndarray, targets: Targets, held_out: Sequence[np.ndarray], multilabel: bool
) -> np.ndarray:
    """Return the probabilities of out-of-fold decision values, each fold by the sigmoids of the other folds.

    Sigmoids of all folds would have seen the targets whose probabilities they give, so that thresholds that are chosen
    on them would look better than they are.

    Args:
        decisions: (n, classes) float64, predicted out of fold.
        targets: As in `fit_sigmoids`.
        held_out: Positions of the held-out examples of each fold.
        multilabel: As in `calibrate`.

    Returns:
        (n, classes) float64, as `calibrate` returns it.
    """
    probabilities = np.empty_like(decisions)
    for rows in held_out:
        others = np.setdiff1d(np.arange(len(decisions)), rows)
        sigmoids = fit_sigmoids(decisions[others], targets[others])
        probabilities[rows] = calibrate(decisions[rows], sigmoids, multilabel)
    return probabilities


def _fit_all(decisions: np.ndarray, flags: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield slope and intercept of each class.

    Platt's targets (N₊+1)/(N₊+2) and 1/(N₋+2) limit the confidence that few examples allow. They enter a logistic
    regression as weights of a positive and a negative copy of each example.
    """
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression

    truth = np.repeat([1, 0], len(flags))
    for one in range(decisions.shape[1]):
        positive = flags[:, one]
        target = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
        values = np.concatenate([decisions[:, one], decisions[:, one]])[:, None]
        fit = LogisticRegression(C=1e6).fit(values, truth, sample_weight=np.concatenate([target, 1 - target]))
        slope, intercept = fit.coef_[0, 0], fit.intercept_[0]
        yield (slope, intercept) if slope > 0 else (0.0, logit(target.mean()))
