"""Selective classification: which predictions are accepted, and which are left to an expert.

A prediction is accepted if its top probability reaches a threshold: the lowest one at which the accuracy of the
accepted predictions is at least a target. Coverage is the share of predictions that are accepted (El-Yaniv & Wiener
2010, "On the foundations of noise-free selective classification").
"""

import zlib

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.evaluation.predictions import index_rows

FOLDS = 10
ALL = "all"


def selective_table(predictions: pd.DataFrame, *, target_accuracy: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Compute coverage and accuracy of the accepted predictions, overall and by predicted class.

    To avoid optimistic estimates, the threshold is cross-validated: whether a prediction is accepted is decided by the
    threshold of the other nine of ten folds.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).
        target_accuracy: Accuracy that the accepted predictions should reach, above 0 and up to 1.
        seed: Random seed of the folds.

    Returns:
        One row for all images, then one per predicted class, sorted:

        * ``class``: ``all`` in the first row, even if a class has this name.
        * ``predicted``: int, images predicted as this class.
        * ``accepted``: int, accepted predictions among them.
        * ``coverage``: float, accepted / predicted.
        * ``accuracy``: float, share of accepted predictions that are correct; NaN without any.
        * ``threshold``: float, chosen on all images and the same in each row; NaN where none reaches the target.

    Raises:
        EvaluationError: The predictions are invalid.

    >>> from art_pipeline.evaluation.predictions import make_predictions
    >>> sure, unsure = [[0.9, 0.1]] * 9, [[0.4, 0.6]] * 3
    >>> predictions = make_predictions(range(12), ["print"] * 12, sure + unsure, ["print", "vase"])
    >>> selective_table(predictions)
       class  predicted  accepted  coverage  accuracy  threshold
    0    all         12         9      0.75       1.0        0.9
    1  print          9         9      1.00       1.0        0.9
    2   vase          3         0      0.00       NaN        0.9
    """
    rows = index_rows(predictions)
    confidence, correct = rows.probabilities.max(axis=1), rows.true == rows.predicted
    accepted = _accept_out_of_fold(confidence, correct, target_accuracy, seed)
    by_class = [(rows.classes[position], rows.predicted == position) for position in np.unique(rows.predicted)]
    table = [_row(name, those, accepted, correct) for name, those in [(ALL, np.ones(len(correct), bool)), *by_class]]
    threshold = find_threshold(confidence, correct, target_accuracy)
    return pd.DataFrame(table).assign(threshold=np.nan if threshold is None else round(threshold, 6))


def review_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rank images for review by an expert, the least confident predictions first.

    Returns:
        One row per image: ``object_id`` (int64), ``predicted`` and ``probability``, ``second_choice`` and
        ``second_probability`` (the second most probable class), and ``label``, the recorded class.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    rows = index_rows(predictions)
    ranked = np.argsort(-rows.probabilities, axis=1, kind="stable")
    first, second = ranked[:, 0], ranked[:, min(1, ranked.shape[1] - 1)]
    names, each = np.array(rows.classes, dtype=object), np.arange(len(rows.true))
    table = pd.DataFrame(
        {
            "object_id": rows.object_ids,
            "predicted": names[first],
            "probability": rows.probabilities[each, first].round(6),
            "second_choice": names[second],
            "second_probability": rows.probabilities[each, second].round(6),
            "label": names[rows.true],
        }
    )
    return table.sort_values(["probability", "object_id"], ignore_index=True)


def find_threshold(confidence: Floats, correct: Flags, target_accuracy: float) -> float | None:
    """Return the lowest confidence at and above which accuracy is at least the target; None if there is none.

    Args:
        confidence: (n,) top probabilities.
        correct: (n,) whether the prediction is correct.
        target_accuracy: Accuracy to reach, in 0..1.

    >>> find_threshold(np.array([0.9, 0.8, 0.7]), np.array([True, True, False]), 0.95)
    0.8
    """
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    last_of_ties = np.append(np.diff(confidence[order]) != 0, True)
    candidates = np.flatnonzero((accuracy >= target_accuracy) & last_of_ties)
    return float(confidence[order][candidates[-1]]) if len(candidates) else None


def _accept_out_of_fold(confidence: Floats, correct: Flags, target_accuracy: float, seed: int) -> Flags:
    folds = np.random.default_rng([seed, zlib.crc32(b"selective")]).permutation(len(correct)) % FOLDS
    accepted = np.zeros(len(correct), bool)
    for fold in range(FOLDS):
        threshold = find_threshold(confidence[folds != fold], correct[folds != fold], target_accuracy)
        accepted[folds == fold] = False if threshold is None else confidence[folds == fold] >= threshold
    return accepted


def _row(name: str, predicted: Flags, accepted: Flags, correct: Flags) -> dict[str, object]:
    both = predicted & accepted
    return {
        "class": name,
        "predicted": int(predicted.sum()),
        "accepted": int(both.sum()),
        "coverage": round(float(both.sum() / max(predicted.sum(), 1)), 6),
        "accuracy": round(float(correct[both].mean()), 6) if both.any() else np.nan,
    }
