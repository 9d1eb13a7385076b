"""Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2)."""

import numpy as np
from numpy.typing import NDArray

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
MIN_PROBABILITY = 1e-30


def fit_temperature(probabilities: NDArray[np.float32], targets: NDArray[np.intp]) -> float:
    """Return the temperature that minimizes the log loss on held-out images.

    Args:
        probabilities: (n, classes), softmax outputs for images that the network was not trained on.
        targets: (n,) indices of the true classes.

    Returns:
        From 0.05 to 20; above 1 for an overconfident network.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(targets))

    def log_loss(log_temperature: float) -> float:
        return -float(_log_tempered(probabilities, np.exp(log_temperature))[rows, targets].mean())

    found = minimize_scalar(log_loss, bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)), method="bounded")
    return float(np.exp(found.x))


def temper(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Divide the logits of softmax probabilities by a temperature.

    Args:
        probabilities: (n, classes); rows sum to 1.
        temperature: Above 0. 1 changes nothing; a higher one makes probabilities more uniform. The ranking of
            classes stays.

    Returns:
        (n, classes) float64; rows sum to 1.

    >>> temper(np.array([[0.8, 0.2]]), 2.0).round(3)
    array([[0.667, 0.333]])
    """
    return np.exp(_log_tempered(probabilities, temperature))


def _log_tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    # The logits of a softmax are the logarithms of its outputs, up to a constant per row.
    logits = np.log(np.maximum(probabilities.astype(np.float64), MIN_PROBABILITY)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    tempered: NDArray[np.float64] = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return tempered
