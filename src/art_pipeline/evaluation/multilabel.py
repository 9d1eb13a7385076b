"""Metrics of a multi-label model.

Conventions:

* Labels are predicted by the thresholds in the predictions table, which were chosen on other images than those of the
  test split.
* A label absent from training (without a ``p:`` column) has probability 0 and is never predicted.
* A label without test images enters no macro average: its recall is undefined. Where it is predicted wrongly, the
  measures over images and the micro averages fall.
* An image without labels scores an F2 of 1 if none is predicted, and 0 otherwise.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.evaluation.bootstrap import as_number, mean_defined, percentile_intervals, resample_counts
from art_pipeline.evaluation.label_thresholds import choose_global, f_beta
from art_pipeline.evaluation.prediction_rows import LabelRows, label_rows

FIXED_THRESHOLDS = (0.2, 0.3, 0.4, 0.5)  # those of the iMet study
WITH_INTERVAL = (
    "f2_samples",
    "f2_samples_global",
    "f1_micro",
    "f1_macro",
    "average_precision_macro",
    "average_precision_micro",
    "roc_auc_macro",
    "roc_auc_micro",
)
_MAX_COUNTS = 4_000_000  # of a resample's images times labels, which bounds memory


def label_metrics(predictions: pd.DataFrame, *, bootstrap: int = 1000, seed: int = 0) -> dict[str, object]:
    """Compute all metrics of a multi-label model.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`), in any order.
        bootstrap: Number of bootstrap resamples; 0 for no intervals.
        seed: Random seed of the resamples.

    Returns:
        A dict for JSON, floats rounded to 12 decimals, None where undefined:

        * ``n`` (images), ``labels``, and ``labels_per_image``, ``predicted_per_image``: mean numbers of labels.
        * ``f2_samples``: the F2 measure of each image, averaged over images. ``f2_samples_at``: the same at the fixed
          thresholds 0.2, 0.3, 0.4 and 0.5. ``f2_samples_global``: at one threshold for all labels,
          ``global_threshold``, chosen on the images of `predictions.choosing_rows`; None if there are none.
        * ``f1_micro``, ``f1_macro``, ``precision_micro``, ``precision_macro``, ``recall_micro``, ``recall_macro``.
        * ``average_precision_macro`` and ``_micro``, ``roc_auc_macro`` and ``_micro``.
        * ``coverage_error`` and ``ranking_average_precision``, as scikit-learn defines them (Tsoumakas et al. 2010,
          "Mining Multi-label Data", section 7), over images with labels.
        * ``interval_95``: ``{metric: {"low", "high"}}`` for `WITH_INTERVAL`, by percentile bootstrap over images.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    rows = label_rows(predictions)
    threshold = global_threshold(predictions)
    f2 = _f2_of_images(rows, threshold)
    once = {name: values[0] for name, values in _statistics(rows, f2, np.ones((len(rows.true), 1))).items()}
    fixed = {f"{t:.1f}": as_number(f_beta(rows.true, rows.probabilities >= t).mean()) for t in FIXED_THRESHOLDS}
    return {
        "n": len(rows.true),
        "labels": len(rows.labels),
        "labels_per_image": as_number(rows.true.sum() / len(rows.true)),
        "predicted_per_image": as_number(rows.predicted.sum() / len(rows.true)),
        **{name: as_number(value) for name, value in (once | _ranking(rows)).items()},
        "global_threshold": threshold,
        "f2_samples_at": fixed,
        "interval_95": _intervals(rows, f2, bootstrap, seed) if bootstrap else {},
    }


def global_threshold(predictions: pd.DataFrame) -> float | None:
    """Choose one threshold for all labels on the images of `predictions.choosing_rows`; None if there are none.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    rows = label_rows(predictions, "choosing")
    return choose_global(rows.true, rows.probabilities) if len(rows.true) else None


def label_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Compute the metrics of each label.

    The mean of a column, NaN ignored, is the macro average of `label_metrics`.

    Returns:
        One row per label of the model or the test images, sorted: ``class`` (str), ``support`` and ``predicted``
        (int64, numbers of images), ``threshold`` (NaN for a label absent from training), ``precision``, ``recall``,
        ``f1``, ``f2``, ``average_precision`` and ``roc_auc`` (float64 in 0..1; NaN for a label without test images, and
        ROC AUC also for a label that all of them have).

    Raises:
        EvaluationError: The predictions are invalid.
    """
    rows = label_rows(predictions)
    ones = np.ones((len(rows.true), 1))
    hits, support, given = _counts(rows, ones)
    measures = {name: values[:, 0] for name, values in _by_label(hits, support, given).items()}
    precision, area = _areas(rows, ones)
    return pd.DataFrame(
        {
            "class": pd.Series(rows.labels, dtype=object),
            "support": support[:, 0].astype(np.int64),
            "predicted": given[:, 0].astype(np.int64),
            "threshold": rows.thresholds.used,
            **measures,
            "average_precision": precision[:, 0],
            "roc_auc": area[:, 0],
        }
    )


def label_confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """Count the test images of each label's confusion matrix.

    Returns:
        ``(k, 4)`` int64, index ``class``: all labels, sorted; columns ``true_positive``, ``false_positive``,
        ``false_negative`` and ``true_negative``.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    rows = label_rows(predictions)
    true, predicted = rows.true, rows.predicted
    counts = {
        "true_positive": true & predicted,
        "false_positive": ~true & predicted,
        "false_negative": true & ~predicted,
        "true_negative": ~true & ~predicted,
    }
    columns = {name: flags.sum(axis=0).astype(np.int64) for name, flags in counts.items()}
    return pd.DataFrame(columns, index=pd.Index(rows.labels, name="class", dtype=object))


def _f2_of_images(rows: LabelRows, threshold: float | None) -> dict[str, Floats]:
    """Return the F2 of each image, of the predicted labels and at a global threshold, (n,) each."""
    each = {"f2_samples": f_beta(rows.true, rows.predicted)}
    if threshold is None:
        return each | {"f2_samples_global": np.full(len(rows.true), np.nan)}
    model = rows.thresholds
    values = np.where(np.isnan(model.values), np.nan, threshold)
    one = replace(model, values=values, decision="thresholds")
    return each | {"f2_samples_global": f_beta(rows.true, one.apply(rows.probabilities, rows.labels))}


def _statistics(rows: LabelRows, f2: dict[str, Floats], counts: Floats) -> dict[str, Floats]:
    """Compute the metrics on b resamples at once, ``(b,)`` each. ``counts``: (n, b)."""
    by_label = _counts(rows, counts)
    macro = {f"{name}_macro": mean_defined(one) for name, one in _by_label(*by_label).items()}
    total = _by_label(*(one.sum(axis=0, keepdims=True) for one in by_label))
    micro = {f"{name}_micro": one[0] for name, one in total.items()}
    precision, area = _areas(rows, counts)
    flat = np.repeat(counts, rows.true.shape[1], axis=0)
    precision_micro, area_micro = _area(rows.true.ravel(), rows.probabilities.ravel(), flat)
    return {
        **{name: (one[:, None] * counts).sum(axis=0) / len(rows.true) for name, one in f2.items()},
        **{name: one for name, one in (micro | macro).items() if not name.startswith("f2")},
        "average_precision_macro": mean_defined(precision),
        "average_precision_micro": precision_micro,
        "roc_auc_macro": mean_defined(area),
        "roc_auc_micro": area_micro,
    }


def _counts(rows: LabelRows, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Count images on b resamples by label, ``(k, b)`` each: correctly predicted, with the label, predicted.

    The matrix product is of whole numbers, and therefore exact for any number of threads.
    """
    flags = np.hstack([rows.true & rows.predicted, rows.true, rows.predicted])
    hits, support, given = np.split(flags.T.astype(np.float64) @ counts, 3)
    return hits, support, given


def _by_label(hits: Floats, support: Floats, given: Floats) -> dict[str, Floats]:
    """Compute measures from counts; NaN without images with the label."""
    measures = {
        "precision": hits / np.maximum(given, 1),
        "recall": hits / np.maximum(support, 1),
        "f1": 2 * hits / np.maximum(support + given, 1),
        "f2": 5 * hits / np.maximum(4 * support + given, 1),
    }
    return {name: np.where(support > 0, one, np.nan) for name, one in measures.items()}


def _areas(rows: LabelRows, counts: Floats) -> tuple[Floats, Floats]:
    """Return what `_area` returns, for each label: ``(k, b)`` each."""
    columns = zip(rows.true.T, rows.probabilities.T, strict=True)
    precision, area = zip(*(_area(true, scores, counts) for true, scores in columns), strict=True)
    return np.stack(precision), np.stack(area)


def _area(true: Flags, scores: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return average precision and ROC AUC on b resamples, as scikit-learn defines them.

    Returns:
        ``(b,)`` each; NaN without positive images, and for the ROC AUC without negative ones.
    """
    hits, total = _cumulative(true, scores, counts)
    steps = np.diff(hits, axis=0, prepend=np.zeros((1, counts.shape[1])))
    negatives = np.diff(total - hits, axis=0, prepend=np.zeros((1, counts.shape[1])))
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = (steps * hits / np.maximum(total, 1)).sum(axis=0) / hits[-1]
        area = (negatives * (hits - steps / 2)).sum(axis=0) / (hits[-1] * (total - hits)[-1])
    return precision, area


def _cumulative(true: Flags, scores: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Count positive and all images at or above each distinct score, from the highest: two arrays (distinct, b)."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    total = counts[order]
    return np.cumsum(np.where(true[order, None], total, 0.0), axis=0)[last], np.cumsum(total, axis=0)[last]


def _ranking(rows: LabelRows) -> dict[str, float]:
    from sklearn.metrics import coverage_error, label_ranking_average_precision_score

    labelled = rows.true.any(axis=1)
    if not labelled.any():
        return {"coverage_error": np.nan, "ranking_average_precision": np.nan}
    if len(rows.labels) == 1:  # scikit-learn rejects a single label
        return {"coverage_error": 1.0, "ranking_average_precision": 1.0}
    true, scores = rows.true[labelled], rows.probabilities[labelled]
    return {
        "coverage_error": float(coverage_error(true, scores)),
        "ranking_average_precision": float(label_ranking_average_precision_score(true, scores)),
    }


def _intervals(rows: LabelRows, f2: dict[str, Floats], bootstrap: int, seed: int) -> dict[str, dict[str, float | None]]:
    n, k = rows.true.shape
    at_once = max(1, min(50, _MAX_COUNTS // max(n * k, 1)))
    resamples = (_statistics(rows, f2, counts) for counts in resample_counts(n, bootstrap, seed, at_once))
    return percentile_intervals(resamples, WITH_INTERVAL)
