"""Metrics of a multi-label model.

The predictions table has one row per image: ``object_id`` (int64, unique), ``label`` (str: the true labels, separated
by ``|``; ``""`` for none) and a float64 column ``p:<label>`` in 0..1 for every label. Probabilities need not sum to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.evaluation.bootstrap import as_number, mean_defined, percentile_intervals, resample_counts, roc_auc
from art_pipeline.evaluation.predictions import check_table, class_columns, known_classes
from art_pipeline.evaluation.thresholds import LabelThresholds, f_beta

SEPARATOR = "|"
FIXED_THRESHOLDS = (0.2, 0.3, 0.4, 0.5)  # those of the iMet study
WITH_INTERVAL = ("f2_samples", "average_precision_macro", "average_precision_micro", "roc_auc_macro")
_MAX_COUNTS = 20_000_000  # of a resample's images times labels, which bounds memory


@dataclass(frozen=True, eq=False)
class LabelRows:
    """A checked predictions table as arrays, by ascending object id.

    Attributes:
        object_ids: (n,) int64.
        labels: The k labels, sorted.
        true: (n, k) bool.
        probabilities: (n, k) float64; a label absent from training has a column of 0.
    """

    object_ids: NDArray[np.int64]
    labels: tuple[str, ...]
    true: Flags
    probabilities: Floats


def label_rows(predictions: pd.DataFrame) -> LabelRows:
    """Validate a predictions table and convert it to arrays.

    Raises:
        EvaluationError: A column is missing, the table is empty, an id occurs twice, or a probability is missing or
            outside 0..1.
    """
    check_table(predictions, sum_to_1=False)
    table = predictions.sort_values("object_id", ignore_index=True)
    sets = [frozenset(filter(None, text.split(SEPARATOR))) for text in table["label"]]
    known = known_classes(table)
    labels = tuple(sorted({*known, *frozenset().union(*sets)}))
    probabilities = np.zeros((len(table), len(labels)))
    probabilities[:, [labels.index(name) for name in sorted(known)]] = table[class_columns(known)].to_numpy(np.float64)
    true = np.array([[name in one for name in labels] for one in sets], dtype=bool)
    return LabelRows(table["object_id"].to_numpy(np.int64), labels, true, probabilities)


def compute_label_metrics(
    predictions: pd.DataFrame, thresholds: LabelThresholds, *, bootstrap: int = 1000, seed: int = 0
) -> dict[str, object]:
    """Compute all metrics of a multi-label model.

    Args:
        predictions: The table described at the top of this module.
        thresholds: Chosen on other images; labels without a threshold are never predicted.
        bootstrap: Number of bootstrap resamples; 0 for no intervals.
        seed: Random seed of the resamples.

    Returns:
        A dict for JSON, floats rounded to 12 decimals, None where undefined:

        * ``n`` (images), ``labels``, ``labels_per_image``.
        * ``f2_samples``: the F2 measure of each image at the thresholds, averaged over images; ``f2_samples_at``: the
          same at fixed thresholds of 0.2, 0.3, 0.4 and 0.5.
        * ``f1_micro``, ``f1_macro`` at the thresholds; a label without images enters no macro average.
        * ``average_precision_macro`` and ``_micro``, ``roc_auc_macro`` and ``_micro``.
        * ``coverage_error`` and ``ranking_average_precision``, as scikit-learn defines them, over images with labels.
        * ``interval_95``: percentile bootstrap over images.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    rows = label_rows(predictions)
    predicted = _predict(rows, thresholds)
    counts = np.ones((len(rows.true), 1))
    once = {name: values[0] for name, values in _statistics(rows, predicted, counts).items()}
    fixed = {f"{t:.1f}": f_beta(rows.true, rows.probabilities >= t).mean() for t in FIXED_THRESHOLDS}
    return {
        "n": len(rows.true),
        "labels": len(rows.labels),
        "labels_per_image": as_number(rows.true.sum() / len(rows.true)),
        **{name: as_number(value) for name, value in (once | _f1(rows.true, predicted) | _ranking(rows)).items()},
        "f2_samples_at": {name: as_number(value) for name, value in fixed.items()},
        "interval_95": _intervals(rows, predicted, bootstrap, seed) if bootstrap else {},
    }


def per_label_table(predictions: pd.DataFrame, thresholds: LabelThresholds) -> pd.DataFrame:
    """Compute the metrics of each label.

    Returns:
        One row per label, sorted: ``label``, ``support`` and ``predicted`` (int64), ``threshold``, ``precision``,
        ``recall``, ``f1``, ``average_precision``, ``roc_auc`` (float64, NaN where undefined).

    Raises:
        EvaluationError: The predictions are invalid.
    """
    rows = label_rows(predictions)
    predicted = _predict(rows, thresholds)
    hits, support, given = (rows.true & predicted).sum(0), rows.true.sum(0), predicted.sum(0)
    by_name: dict[str, float] = dict(zip(thresholds.labels, thresholds.values, strict=True))
    ones = np.ones((len(rows.true), 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = hits / np.maximum(given, 1), hits / support
        f1 = np.where(support > 0, 2 * hits / np.maximum(support + given, 1), np.nan)
    return pd.DataFrame(
        {
            "label": pd.Series(rows.labels, dtype=object),
            "support": support.astype(np.int64),
            "predicted": given.astype(np.int64),
            "threshold": [by_name.get(name, np.nan) for name in rows.labels],
            "precision": np.where(support > 0, precision, np.nan),
            "recall": recall,
            "f1": f1,
            "average_precision": _each_label(_average_precision, rows, ones)[:, 0],
            "roc_auc": _each_label(roc_auc, rows, ones)[:, 0],
        }
    )


def _predict(rows: LabelRows, thresholds: LabelThresholds) -> Flags:
    """Apply the thresholds; labels that occur only in the test images are not predicted."""
    known = [name in thresholds.labels for name in rows.labels]
    predicted = np.zeros_like(rows.true)
    names = tuple(np.array(rows.labels, dtype=object)[known])
    predicted[:, known] = thresholds.apply(rows.probabilities[:, known], names)
    return predicted


def _statistics(rows: LabelRows, predicted: Flags, counts: Floats) -> dict[str, Floats]:
    """Compute the metrics with intervals on b resamples at once: (b,) each. ``counts``: (n, b)."""
    flat = np.repeat(counts, rows.true.shape[1], axis=0)
    true, scores = rows.true.ravel(), rows.probabilities.ravel()
    return {
        "f2_samples": (f_beta(rows.true, predicted)[:, None] * counts).sum(axis=0) / len(rows.true),
        "average_precision_macro": mean_defined(_each_label(_average_precision, rows, counts)),
        "average_precision_micro": _average_precision(true, scores, flat),
        "roc_auc_macro": mean_defined(_each_label(roc_auc, rows, counts)),
        "roc_auc_micro": roc_auc(true, scores, flat),
    }


def _each_label(measure: Callable[..., Floats], rows: LabelRows, counts: Floats) -> Floats:
    columns = zip(rows.true.T, rows.probabilities.T, strict=True)
    return np.stack([measure(true, scores, counts) for true, scores in columns])


def _average_precision(true: Flags, scores: Floats, counts: Floats) -> Floats:
    """Return the average precision on b resamples, as scikit-learn defines it: (b,), NaN without positive images."""
    hits, total = _cumulative(true, scores, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = hits / total
        steps = np.diff(hits, axis=0, prepend=np.zeros((1, counts.shape[1])))
        area: Floats = np.where(total > 0, steps * precision, 0.0).sum(axis=0) / hits[-1]
        return area


def _cumulative(true: Flags, scores: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Count positive and all images at or above each distinct score, from the highest: two arrays (distinct, b)."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    total = counts[order]
    return np.cumsum(np.where(true[order, None], total, 0.0), axis=0)[last], np.cumsum(total, axis=0)[last]


def _f1(true: Flags, predicted: Flags) -> dict[str, float]:
    hits, support, given = (true & predicted).sum(0), true.sum(0), predicted.sum(0)
    each = 2 * hits / np.maximum(support + given, 1)
    macro = each[support > 0].mean() if support.any() else np.nan
    return {"f1_micro": 2 * hits.sum() / max(int(support.sum() + given.sum()), 1), "f1_macro": macro}


def _ranking(rows: LabelRows) -> dict[str, float]:
    from sklearn.metrics import coverage_error, label_ranking_average_precision_score

    labelled = rows.true.any(axis=1)
    if not labelled.any():
        return {"coverage_error": np.nan, "ranking_average_precision": np.nan}
    if len(rows.labels) == 1:  # scikit-learn rejects a single label
        return {"coverage_error": 1.0, "ranking_average_precision": 1.0}
    true, scores = rows.true[labelled], rows.probabilities[labelled]
    return {
        "coverage_error": coverage_error(true, scores),
        "ranking_average_precision": label_ranking_average_precision_score(true, scores),
    }


def _intervals(rows: LabelRows, predicted: Flags, bootstrap: int, seed: int) -> dict[str, dict[str, float | None]]:
    n, k = rows.true.shape
    at_once = max(1, min(50, _MAX_COUNTS // max(n * k, 1)))
    resamples = (_statistics(rows, predicted, counts) for counts in resample_counts(n, bootstrap, seed, at_once))
    return percentile_intervals(resamples, WITH_INTERVAL)
