"""Calibration of a network by one number (Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2)."""

import numpy as np

LEAST, MOST = 0.05, 20.0
TINY = 1e-30


def fit_temperature(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Find the temperature at which held-out labels are likeliest.

    Args:
        probabilities: (n, classes), as the network gives them, of examples that it did not learn from.
        targets: (n,) positions of their classes.

    Returns:
        From 0.05 to 20; above 1 where the network is surer than it is right.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(targets))

    def loss(logarithm: float) -> float:
        return -float(_log_tempered(probabilities, np.exp(logarithm))[rows, targets].mean())

    found = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded")
    return float(np.exp(found.x))


def temper(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Divide the logits behind probabilities by a temperature.

    Args:
        probabilities: (n, classes); rows sum to 1.
        temperature: Above 0; 1 changes nothing, more makes them more alike. The order of classes stays.

    Returns:
        (n, classes) float64; rows sum to 1.
    """
    return np.exp(_log_tempered(probabilities, temperature))


def _log_tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    # A softmax's logits are the logarithms of its answers, but for a number that a row has in common.
    logits = np.log(np.maximum(probabilities.astype(np.float64), TINY)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
