"""Predictions of a multi-label model to metrics.

The predictions table has a row per image: ``object_id`` (int64, unique), ``label`` (str: the true labels with
``|`` between them, ``""`` for none) and a float64 column ``p:<label>`` in 0..1 for every label. Probabilities need
not sum to 1.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.predictions import PREFIX, class_columns
from art_pipeline.evaluation.thresholds import LabelThresholds, f_beta

Floats, Flags = NDArray[np.float64], NDArray[np.bool_]

SEPARATOR = "|"
FIXED_THRESHOLDS = (0.2, 0.3, 0.4, 0.5)  # those of the iMet study
WITH_INTERVAL = ("f2_samples", "average_precision_macro", "average_precision_micro", "roc_auc_macro")
_CONFIDENCE = (2.5, 97.5)
_DECIMALS = 12  # the last bits of a sum depend on the processor


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
    """Check a predictions table and turn it into arrays.

    Raises:
        EvaluationError: A column is missing, the table is empty, an id occurs twice, or a probability is missing or
            outside 0..1.
    """
    _check(predictions)
    table = predictions.sort_values("object_id", ignore_index=True)
    sets = [frozenset(filter(None, text.split(SEPARATOR))) for text in table["label"]]
    known = [str(name).removeprefix(PREFIX) for name in table if str(name).startswith(PREFIX)]
    labels = tuple(sorted({*known, *frozenset().union(*sets)}))
    probabilities = np.zeros((len(table), len(labels)))
    probabilities[:, [labels.index(name) for name in sorted(known)]] = table[class_columns(known)].to_numpy(np.float64)
    true = np.array([[name in one for name in labels] for one in sets], dtype=bool)
    return LabelRows(table["object_id"].to_numpy(np.int64), labels, true, probabilities)


def compute_label_metrics(
    predictions: pd.DataFrame, thresholds: LabelThresholds, *, bootstrap: int = 1000, seed: int = 0
) -> dict[str, object]:
    """Measure a multi-label model.

    Args:
        predictions: The table described at the top of this module.
        thresholds: Chosen on other images; labels that it does not know are never predicted.
        bootstrap: Resamples of the intervals; 0 for none.
        seed: Of the resamples.

    Returns:
        A dict that JSON can hold, floats rounded to 12 decimals, None where undefined:

        * ``n`` images, ``labels``, ``labels_per_image``.
        * ``f2_samples`` at the thresholds, and at each of 0.2, 0.3, 0.4 and 0.5: the F2 measure of each image
          (recall weighs twice), averaged over images.
        * ``f1_micro``, ``f1_macro`` at the thresholds; a label without images enters no macro average.
        * ``average_precision_macro`` and ``_micro``, ``roc_auc_macro`` and ``_micro``.
        * ``coverage_error``: how many labels of the ranking must be taken to have all true ones, and
          ``ranking_average_precision``, over images that have labels.
        * ``interval_95``: percentile bootstrap over images.

    Raises:
        EvaluationError: No valid predictions.
    """
    rows = label_rows(predictions)
    predicted = _predict(rows, thresholds)
    counts = np.ones((len(rows.true), 1))
    once = {name: values[0] for name, values in _statistics(rows, predicted, counts).items()}
    fixed = {f"{t:.1f}": f_beta(rows.true, rows.probabilities >= t).mean() for t in FIXED_THRESHOLDS}
    return {
        "n": len(rows.true),
        "labels": len(rows.labels),
        "labels_per_image": _number(rows.true.sum() / len(rows.true)),
        **{name: _number(value) for name, value in (once | _f1(rows.true, predicted) | _ranking(rows)).items()},
        "f2_samples_at": {name: _number(value) for name, value in fixed.items()},
        "interval_95": _intervals(rows, predicted, bootstrap, seed) if bootstrap else {},
    }


def per_label_table(predictions: pd.DataFrame, thresholds: LabelThresholds) -> pd.DataFrame:
    """Measure every label by itself.

    Returns:
        One row per label, sorted: ``label``, ``support`` and ``predicted`` (int64), ``threshold``, ``precision``,
        ``recall``, ``f1``, ``average_precision``, ``roc_auc`` (float64, NaN where undefined).

    Raises:
        EvaluationError: No valid predictions.
    """
    rows = label_rows(predictions)
    predicted = _predict(rows, thresholds)
    hits, support, given = (rows.true & predicted).sum(0), rows.true.sum(0), predicted.sum(0)
    by_name = dict(zip(thresholds.labels, thresholds.values, strict=True))
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
            "roc_auc": _each_label(_roc_auc, rows, ones)[:, 0],
        }
    )


def _predict(rows: LabelRows, thresholds: LabelThresholds) -> Flags:
    """Apply thresholds; labels that only the test images have are not predicted."""
    known = [name in thresholds.labels for name in rows.labels]
    predicted = np.zeros_like(rows.true)
    names = tuple(np.array(rows.labels, dtype=object)[known])
    predicted[:, known] = thresholds.apply(rows.probabilities[:, known], names)
    return predicted


def _statistics(rows: LabelRows, predicted: Flags, counts: Floats) -> dict[str, Floats]:
    """The metrics with an interval, on b resamples at once: (b,) each. ``counts``: (n, b)."""
    flat = np.repeat(counts, rows.true.shape[1], axis=0)
    true, scores = rows.true.ravel(), rows.probabilities.ravel()
    return {
        "f2_samples": (f_beta(rows.true, predicted)[:, None] * counts).sum(axis=0) / len(rows.true),
        "average_precision_macro": _mean_of_defined(_each_label(_average_precision, rows, counts)),
        "average_precision_micro": _average_precision(true, scores, flat),
        "roc_auc_macro": _mean_of_defined(_each_label(_roc_auc, rows, counts)),
        "roc_auc_micro": _roc_auc(true, scores, flat),
    }


def _each_label(measure: Callable[..., Floats], rows: LabelRows, counts: Floats) -> Floats:
    columns = zip(rows.true.T, rows.probabilities.T, strict=True)
    return np.stack([measure(true, scores, counts) for true, scores in columns])


def _average_precision(true: Flags, scores: Floats, counts: Floats) -> Floats:
    """Average precision on b resamples, as scikit-learn defines it: (b,), NaN without a positive image."""
    hits, drawn = _cumulative(true, scores, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = hits / drawn
        steps = np.diff(hits, axis=0, prepend=np.zeros((1, counts.shape[1])))
        return np.where(drawn > 0, steps * precision, 0.0).sum(axis=0) / hits[-1]


def _roc_auc(true: Flags, scores: Floats, counts: Floats) -> Floats:
    """Area under the ROC curve on b resamples: (b,), NaN where one side has no image."""
    hits, drawn = _cumulative(true, scores, counts)
    zero = np.zeros((1, counts.shape[1]))
    negatives, positives = np.vstack([zero, drawn - hits]), np.vstack([zero, hits])
    area = ((positives[1:] + positives[:-1]) / 2 * np.diff(negatives, axis=0)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return area / (negatives[-1] * positives[-1])


def _cumulative(true: Flags, scores: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Positive and all images down to each distinct score, from the highest: two arrays (distinct, b)."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    drawn = counts[order]
    return np.cumsum(np.where(true[order, None], drawn, 0.0), axis=0)[last], np.cumsum(drawn, axis=0)[last]


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
    if len(rows.labels) == 1:  # which scikit-learn refuses: a ranking of one
        return {"coverage_error": 1.0, "ranking_average_precision": 1.0}
    true, scores = rows.true[labelled], rows.probabilities[labelled]
    return {
        "coverage_error": coverage_error(true, scores),
        "ranking_average_precision": label_ranking_average_precision_score(true, scores),
    }


def _intervals(rows: LabelRows, predicted: Flags, bootstrap: int, seed: int) -> dict[str, dict[str, float | None]]:
    drawn = [_statistics(rows, predicted, counts) for counts in _resamples(rows.true.shape, bootstrap, seed)]
    intervals = {}
    for name in WITH_INTERVAL:
        values = np.concatenate([part[name] for part in drawn])
        defined = values[~np.isnan(values)]
        low, high = np.percentile(defined, _CONFIDENCE) if len(defined) else (np.nan, np.nan)
        intervals[name] = {"low": _number(low), "high": _number(high)}
    return intervals


def _resamples(shape: tuple[int, int], bootstrap: int, seed: int) -> Iterator[Floats]:
    """Yield (n, b) counts of each image in b resamples; b bounds the memory of all labels together."""
    n, k = shape
    rng = np.random.default_rng([seed, zlib.crc32(b"bootstrap")])
    at_once = max(1, min(50, 20_000_000 // max(n * k, 1)))
    draws = [rng.integers(0, n, size=n) for _ in range(bootstrap)]
    for start in range(0, bootstrap, at_once):
        counts: Sequence[NDArray] = [np.bincount(draw, minlength=n) for draw in draws[start : start + at_once]]
        yield np.stack(counts, axis=1).astype(np.float64)


def _mean_of_defined(values: Floats) -> Floats:
    """Average (k, b) over k, NaN left out; NaN where nothing is left."""
    defined = ~np.isnan(values)
    n = defined.sum(axis=0)
    return np.where(n > 0, np.where(defined, values, 0.0).sum(axis=0) / np.maximum(n, 1), np.nan)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _DECIMALS)


def _check(predictions: pd.DataFrame) -> None:
    missing = [name for name in ("object_id", "label") if name not in predictions]
    if missing:
        raise EvaluationError(f"The predictions have no column {missing[0]!r}.")
    columns = [name for name in predictions if str(name).startswith(PREFIX)]
    if not columns or predictions.empty:
        raise EvaluationError("The predictions are empty, or have no column 'p:<label>' of probabilities.")
    repeated = predictions["object_id"][predictions["object_id"].duplicated()]
    if len(repeated):
        raise EvaluationError(f"The predictions name object {repeated.iloc[0]} more than once: keep one row per image.")
    values = predictions[columns].to_numpy(np.float64)
    wrong = ~((values >= 0) & (values <= 1)).all(axis=1)
    if wrong.any():
        first = predictions["object_id"].to_numpy()[wrong][0]
        raise EvaluationError(
            f"Probabilities are missing or outside 0..1 for object {first} and {wrong.sum() - 1} more."
        )
