"""What a model can sort alone, and what it should leave to an expert.

Selective classification (El-Yaniv & Wiener 2010, "On the foundations of noise-free selective
classification"): a model is trusted with the objects of which it is sure enough: those whose top probability is at
least a threshold, the lowest one above which it is right as often as is wanted.
"""

import zlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.evaluation.predictions import index_rows

FOLDS = 10
ALL = "all"


def sorting_table(predictions: pd.DataFrame, *, right: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Tell how much a model can sort alone, in all and by the class that it gives.

    A threshold chosen on the objects that it is then judged by would flatter. So each object is
    judged by the threshold of the others: they are dealt into ten parts, and each part gets the
    threshold of the other nine.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).
        right: Share of the objects sorted alone that are to be right, above 0 and up to 1.
        seed: Seed of the deal.

    Returns:
        One row for all objects, and one for each class that any was given to, sorted: ``class`` (``all`` in the first
        row, which a class of this name does not replace), ``predicted`` (objects), ``alone`` (how many of them it
        would sort alone), ``share`` (alone of predicted), ``right`` (share of those that are right; NaN where there
        are none) and ``threshold`` (probability, chosen on all objects, the same in each row; NaN where no
        threshold does).

    Raises:
        EvaluationError: No valid predictions.
    """
    rows = index_rows(predictions)
    confidence, hits = rows.probabilities.max(axis=1), rows.true == rows.predicted
    alone = _sorted_alone(confidence, hits, right, seed)
    given = [(rows.classes[position], rows.predicted == position) for position in np.unique(rows.predicted)]
    table = [_row(name, those, alone, hits) for name, those in [(ALL, np.ones(len(hits), bool)), *given]]
    threshold = find_threshold(confidence, hits, right)
    return pd.DataFrame(table).assign(threshold=np.nan if threshold is None else round(threshold, 6))


def review_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rank objects for an expert: what the model is least sure of comes first.

    Returns:
        One row per object: ``object_id`` (int64), ``predicted`` and ``probability``, ``second``
        and ``second_probability`` (the next best class), and ``label``, the recorded one.

    Raises:
        EvaluationError: No valid predictions.
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
            "second": names[second],
            "second_probability": rows.probabilities[each, second].round(6),
            "label": names[rows.true],
        }
    )
    return table.sort_values(["probability", "object_id"], ignore_index=True)


def find_threshold(confidence: NDArray[np.float64], hits: NDArray[np.bool_], right: float) -> float | None:
    """The lowest confidence from which on the share of hits is at least ``right``; None where there is none.

    Args:
        confidence: (n,) top probabilities.
        hits: (n,) whether the prediction is right.
        right: Share wanted.
    """
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(hits[order]) / np.arange(1, len(order) + 1)
    last_of_equals = np.append(np.diff(confidence[order]) != 0, True)
    enough = np.flatnonzero((share >= right) & last_of_equals)
    return float(confidence[order][enough[-1]]) if len(enough) else None


def _sorted_alone(
    confidence: NDArray[np.float64], hits: NDArray[np.bool_], right: float, seed: int
) -> NDArray[np.bool_]:
    parts = np.random.default_rng([seed, zlib.crc32(b"selective")]).permutation(len(hits)) % FOLDS
    alone = np.zeros(len(hits), bool)
    for part in range(FOLDS):
        threshold = find_threshold(confidence[parts != part], hits[parts != part], right)
        alone[parts == part] = False if threshold is None else confidence[parts == part] >= threshold
    return alone


def _row(name: str, given: NDArray[np.bool_], alone: NDArray[np.bool_], hits: NDArray[np.bool_]) -> dict[str, object]:
    trusted = given & alone
    return {
        "class": name,
        "predicted": int(given.sum()),
        "alone": int(trusted.sum()),
        "share": round(float(trusted.sum() / max(given.sum(), 1)), 6),
        "right": round(float(hits[trusted].mean()), 6) if trusted.any() else np.nan,
    }
