"""How much an expert's look at a prediction is worth."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.evaluation.prediction_rows import label_thresholds
from art_pipeline.evaluation.prediction_table import (
    RESUBSTITUTION,
    class_columns,
    costs_of,
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
    if predictions.empty:
        return
    classes = sorted(known_classes(predictions))
    probabilities = predictions[class_columns(classes)].to_numpy(np.float64)
    recorded = label_matrix(predictions["label"], pd.Index(classes))
    several = is_multilabel(predictions)
    if several:
        predicted = label_thresholds(predictions).apply(probabilities, classes)
    else:
        costs = costs_of(predictions)
        chosen = costs.of(classes).predict(probabilities) if costs else probabilities.argmax(axis=1)
        predicted = np.arange(len(classes)) == chosen[:, None]
    doubt, errors = _scores(probabilities, predicted, recorded, several=several)
    errors[(predictions["origin"] == RESUBSTITUTION).to_numpy()] = np.nan
    for one, error in zip(doubt.tolist(), errors.tolist(), strict=True):
        yield one, None if np.isnan(error) else error


def review_score(
    probabilities: Mapping[str, float], predicted: Collection[str], recorded: Collection[str], *, several: bool
) -> tuple[float, float | None]:
    """Return the scores of one prediction of an image that the model was not trained on, as `review_scores` does.

    Args:
        probabilities: By class.
        predicted: The predicted classes.
        recorded: The recorded classes. Where the model knows none of them, nothing is suspected.
        several: Whether the task is multi-label.

    >>> review_score({"print": 0.75, "vase": 0.25}, ["print"], ["vase"], several=False)
    (0.25, 0.5)
    >>> review_score({"print": 0.75, "vase": 0.25}, ["print"], [], several=False)
    (0.25, None)
    """
    chosen, known = (np.array([[name in names for name in probabilities]]) for names in (predicted, recorded))
    found = _scores(np.array([[*probabilities.values()]]), chosen, known, several=several)
    (doubt,), (error,) = (scores.tolist() for scores in found)
    return doubt, error if known.any() and not np.isnan(error) else None


def margins(
    probabilities: NDArray[np.float64], recorded: NDArray[np.bool_], predicted: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """Return the probability of the most probable class minus that of the recorded one.

    As confident learning does (Northcutt et al. 2021), it wants predictions of images that the model was not trained
    on.

    Args:
        probabilities: (n, classes).
        recorded: (n, classes), whether it is the recorded class.
        predicted: (n,) positions of the predicted classes; None for the most probable ones.

    Returns:
        (n,) in 0..1; NaN where prediction and record agree.

    >>> margins(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([[False, True], [True, False]])).tolist()
    [0.5, nan]
    """
    margin = probabilities.max(axis=1) - (probabilities * recorded).sum(axis=1)
    chosen = probabilities.argmax(axis=1) if predicted is None else predicted
    agree = recorded[np.arange(len(recorded)), chosen]
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


def _scores(
    probabilities: NDArray[np.float64], predicted: NDArray[np.bool_], recorded: NDArray[np.bool_], *, several: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return doubts and suspicions, (n,) each, rounded."""
    if several:
        doubt, errors = doubts(probabilities, predicted), label_errors(probabilities, predicted, recorded)
    else:
        doubt = 1 - (probabilities * predicted).sum(axis=1)
        errors = margins(probabilities, recorded, predicted.argmax(axis=1))
    return doubt.round(DECIMALS), errors.round(DECIMALS)
