"""Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2)."""

import numpy as np
from numpy.typing import NDArray

from art_pipeline.models.targets import Targets, is_multilabel

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
MIN_PROBABILITY = 1e-30
BELOW_1 = 2.0**-24  # half the distance from 1 to the float32 below it


def fit_temperature(
    probabilities: NDArray[np.float32], targets: Targets, weights: NDArray[np.float32] | None = None
) -> float:
    """Return the temperature that minimizes the log loss on held-out images.

    Args:
        probabilities: (n, classes), outputs of softmax or sigmoids for images that the network was not trained on.
        targets: (n,) indices of the true classes; or (n, classes) bool of a multi-label task, whose log loss is that of
            all pairs of image and label.
        weights: (classes,) weight of the images of each class of a multi-class task; None for equal weights.

    Returns:
        From 0.05 to 20; above 1 for an overconfident network.
    """
    from scipy.optimize import minimize_scalar

    def log_loss(log_temperature: float) -> float:
        if is_multilabel(targets):
            logits = _logits(probabilities) / np.exp(log_temperature)
            return float((np.logaddexp(0, logits) - targets * logits).mean())
        rows = np.arange(len(targets))
        losses = -_log_tempered(probabilities, np.exp(log_temperature))[rows, targets]
        return float(losses.mean() if weights is None else np.average(losses, weights=weights[targets]))

    found = minimize_scalar(log_loss, bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)), method="bounded")
    return float(np.exp(found.x))


def temper(probabilities: NDArray[np.float32], temperature: float, multilabel: bool = False) -> NDArray[np.float64]:
    """Divide the logits of probabilities by a temperature.

    Args:
        probabilities: (n, classes); outputs of softmax, whose rows sum to 1, or of sigmoids.
        temperature: Above 0. 1 changes nothing; a higher one makes probabilities more uniform. The ranking of
            classes stays.
        multilabel: Whether the probabilities are outputs of sigmoids.

    Returns:
        (n, classes) float64; those of a softmax sum to 1.

    >>> temper(np.array([[0.8, 0.2]]), 2.0).round(3)
    array([[0.667, 0.333]])
    >>> temper(np.array([[0.8, 0.5]]), 2.0, multilabel=True).round(3)
    array([[0.667, 0.5  ]])
    """
    if multilabel:
        from scipy.special import expit

        tempered: NDArray[np.float64] = expit(_logits(probabilities) / temperature)
        return tempered
    return np.exp(_log_tempered(probabilities, temperature))


def _logits(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logits of the outputs of sigmoids."""
    values = probabilities.astype(np.float64)
    logits: NDArray[np.float64] = np.log(np.maximum(values, MIN_PROBABILITY)) - np.log(np.maximum(1 - values, BELOW_1))
    return logits


def _log_tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    # The logits of a softmax are the logarithms of its outputs, up to a constant per row.
    logits = np.log(np.maximum(probabilities.astype(np.float64), MIN_PROBABILITY)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    tempered: NDArray[np.float64] = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return tempered
