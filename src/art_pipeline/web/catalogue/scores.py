"""How much an expert's look at a prediction is worth."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.evaluation.prediction_table import (
    PREFIX,
    RESUBSTITUTION,
    THRESHOLD_PREFIX,
    is_multilabel,
    known_classes,
)
from art_pipeline.tasks.label_sets import label_matrix

DECIMALS = 6


def review_scores(predictions: pd.DataFrame) -> Iterator[tuple[float, float | None]]:
    """Yield the doubt of each row of a predictions table, and how suspect its recorded labels are.

    The doubt of a multi-class prediction is the probability that it is wrong. For multi-label ones see `doubts` and
    `label_errors`.
    """
    classes = known_classes(predictions)
    probabilities, recorded = _values(predictions, PREFIX), label_matrix(predictions["label"], pd.Index(classes))
    if is_multilabel(predictions):
        predicted = probabilities >= _values(predictions, THRESHOLD_PREFIX)
        doubt, errors = doubts(probabilities, predicted), label_errors(probabilities, predicted, recorded)
    else:
        doubt, errors = 1 - probabilities.max(axis=1), margins(probabilities, recorded)
    errors[(predictions["origin"] == RESUBSTITUTION).to_numpy()] = np.nan
    for one, error in zip(doubt.round(DECIMALS).tolist(), errors.round(DECIMALS).tolist(), strict=True):
        yield one, None if np.isnan(error) else error


def margins(probabilities: NDArray[np.float64], recorded: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the probability of the most probable class minus that of the recorded one.

    As confident learning does (Northcutt et al. 2021), it wants predictions of images that the model was not trained
    on.

    Args:
        probabilities: (n, classes).
        recorded: (n, classes), whether it is the recorded class.

    Returns:
        (n,) in 0..1; NaN where they agree.

    >>> margins(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([[False, True], [True, False]])).tolist()
    [0.5, nan]
    """
    margin = probabilities.max(axis=1) - (probabilities * recorded).sum(axis=1)
    agree = recorded[np.arange(len(recorded)), probabilities.argmax(axis=1)]
    return np.where(agree, np.nan, margin)


def doubts(probabilities: NDArray[np.float64], predicted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the expected number of wrong labels of each image, if the probabilities are right.

    Args:
        probabilities: (n, classes).
        predicted: (n, classes), whether the label is predicted.

    >>> doubts(np.array([[0.9, 0.2]]), np.array([[True, False]])).round(6).tolist()
    [0.3]
    """
    expected: NDArray[np.float64] = np.where(predicted, 1 - probabilities, probabilities).sum(axis=1)
    return expected


def label_errors(
    probabilities: NDArray[np.float64], predicted: NDArray[np.bool_], recorded: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return how sure a multi-label model is that a recorded label set is wrong.

    It is the largest probability of a label that is only predicted, or of the absence of one that is only recorded.

    Args:
        probabilities: (n, labels).
        predicted: (n, labels), whether the label is predicted.
        recorded: (n, labels), whether it is recorded.

    Returns:
        (n,) in 0..1; NaN where they agree.

    >>> predicted, recorded = np.array([[True, False]]), np.array([[False, False]])
    >>> label_errors(np.array([[0.9, 0.1]]), predicted, recorded).tolist()
    [0.9]
    """
    belief = np.where(predicted, probabilities, 1 - probabilities)
    belief = np.where(predicted != recorded, belief, -1).max(axis=1)
    return np.where(belief < 0, np.nan, belief)


def _values(predictions: pd.DataFrame, prefix: str) -> NDArray[np.float64]:
    return predictions[[f"{prefix}{name}" for name in known_classes(predictions)]].to_numpy(np.float64)
