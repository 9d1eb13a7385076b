"""Predictions -> numbers. The same numbers for every model, from its predictions table alone.

Three conventions hold for all of them:

* The predicted class is the most probable one; ties go to the first in sorted class order.
* A class absent from training (a label without a ``p:`` column) has probability 0 for every
  object. Its objects count as wrong, top 5 included; its ROC AUC is that of a constant score,
  0.5; each of its objects adds ``-log(eps)``, about 36, to the log loss before the mean.
* A class without test objects enters no macro average: it has no recall. The objects wrongly
  given to it still cost the recall of the classes they belong to.
"""

import zlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.predictions import Rows, index_rows

TOP = 5
CALIBRATION_BINS = 10
WITH_INTERVAL = (
    "accuracy",
    "top_5_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "roc_auc_ovr",
    "log_loss",
)
_CONFIDENCE = (2.5, 97.5)
# Bounds the memory of the bootstrap, which is this many times the objects; also fixes the draw.
_RESAMPLES_AT_ONCE = 100
# The last bits of a sum depend on the processor's vector width; they must not reach a file.
_DECIMALS = 12

Floats = NDArray[np.float64]


def compute_metrics(predictions: pd.DataFrame, *, bootstrap: int = 1000, seed: int = 0) -> dict[str, object]:
    """Measure a model by its predictions.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`), in any order.
        bootstrap: Resamples of the intervals, 0 or more; 0 gives no intervals.
        seed: Seed of the resamples, 0 or more.

    Returns:
        A dict that JSON can hold, floats rounded to 12 decimals:

        * ``n``: objects.
        * ``accuracy``; ``top_5_accuracy``: share of objects whose true class is among the five
          most probable. With five classes or fewer that is every class the model knows, and so
          1.0 by definition (unless a label is absent from training).
        * ``precision_macro``, ``recall_macro``, ``f1_macro``: means over the classes that have
          test objects; a class never predicted has precision 0. ``…_weighted``: by support.
        * ``roc_auc_ovr``: mean over classes of one-against-the-rest ROC AUC (Hand & Till 2001
          discuss it; Fawcett 2006, section 9), for classes with objects on both sides.
        * ``log_loss``: mean of ``-log`` of the true class's probability, clipped at float64's eps.
        * ``expected_calibration_error``: see the function of that name.
        * ``interval_95``: ``{metric: {"low", "high"}}`` for `WITH_INTERVAL`, percentile bootstrap
          over objects (Efron & Tibshirani 1993, section 13.3). It speaks for the draw of the test
          objects, not for the training. With a handful of objects per class, a resample misses
          some and repeats others, and the macro intervals of precision and F1 lean low.

        What is undefined (the AUC of a single class) is None.

    Raises:
        EvaluationError: No valid predictions, or `bootstrap` or `seed` is negative.
    """
    if bootstrap < 0 or seed < 0:
        raise EvaluationError(f"Cannot draw {bootstrap} resamples with seed {seed}: both must be 0 or more.")
    rows = index_rows(predictions)
    estimates = {name: _number(value) for name, value in _point_estimates(rows).items()}
    intervals = _intervals(rows, bootstrap, seed) if bootstrap else {}
    return {"n": len(rows.true), **estimates, "interval_95": intervals}


def per_class_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Measure every class by itself.

    The mean of each column of measures, NaN left out, is the macro average of `compute_metrics`.

    Returns:
        One row per class, sorted, known to the model or only to the labels: ``class`` (str),
        ``support`` and ``predicted`` (int64 counts), ``precision``, ``recall``, ``f1``,
        ``roc_auc`` (float64 in 0..1; NaN for a class without test objects) and
        ``most_confused_with`` (str): the class that most of its objects were wrongly given to,
        ties to the first; empty if there is none.

    Raises:
        EvaluationError: No valid predictions.
    """
    from sklearn.metrics import precision_recall_fscore_support

    rows = index_rows(predictions)
    positions = np.arange(len(rows.classes))
    measures = precision_recall_fscore_support(rows.true, rows.predicted, labels=positions, zero_division=0.0)
    precision, recall, f1, support = measures
    absent = support == 0
    return pd.DataFrame(
        {
            "class": pd.Series(rows.classes, dtype=object),
            "support": support.astype(np.int64),
            "predicted": np.bincount(rows.predicted, minlength=len(positions)).astype(np.int64),
            "precision": np.where(absent, np.nan, precision),
            "recall": np.where(absent, np.nan, recall),
            "f1": np.where(absent, np.nan, f1),
            "roc_auc": _auc_per_class(rows),
            "most_confused_with": _most_confused_with(rows),
        }
    )


def confusion_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Count objects by true and predicted class.

    Returns:
        ``(k, k)`` int64, index ``true`` and columns ``predicted``, both all classes in sorted
        order, those without objects or without a probability column included.

    Raises:
        EvaluationError: No valid predictions.
    """
    rows = index_rows(predictions)
    return pd.DataFrame(
        _confusion(rows),
        index=pd.Index(rows.classes, name="true"),
        columns=pd.Index(rows.classes, name="predicted"),
    )


def calibration_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Compare the confidence of predictions with how often they are right.

    The ten bins of equal width of Guo et al. 2017 ("On Calibration of Modern Neural Networks",
    section 2): bin m holds the objects whose top probability lies in ((m-1)/10, m/10].

    Returns:
        Ten rows: ``low``, ``high`` (the bin), ``n`` (int64), ``confidence`` (mean top
        probability) and ``accuracy``; the last two NaN in an empty bin.

    Raises:
        EvaluationError: No valid predictions.
    """
    return _bins(index_rows(predictions))


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Mean distance of accuracy and confidence over objects, 0..1 (ECE, Guo et al. 2017, eq. 3).

    Args:
        bins: What `calibration_table` returns.
    """
    gaps = (bins["accuracy"] - bins["confidence"]).abs().fillna(0.0)
    return float((gaps * bins["n"]).sum() / bins["n"].sum())


def _point_estimates(rows: Rows) -> dict[str, float]:
    once = {name: values[0] for name, values in _statistics(rows, np.ones((len(rows.true), 1))).items()}
    return once | {"expected_calibration_error": expected_calibration_error(_bins(rows))}


def _bins(rows: Rows) -> pd.DataFrame:
    confidence = rows.probabilities.max(axis=1)
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
    bins = np.digitize(confidence, edges[1:-1], right=True)
    n = np.bincount(bins, minlength=CALIBRATION_BINS)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN of an empty bin
        means = [
            np.bincount(bins, weights=values, minlength=CALIBRATION_BINS) / n
            for values in (confidence, rows.true == rows.predicted)
        ]
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": n.astype(np.int64),
            "confidence": means[0],
            "accuracy": means[1],
        }
    )


def _auc_per_class(rows: Rows) -> Floats:
    """Give the ``(k,)`` areas of each class against the rest, NaN where there is no such side."""
    from sklearn.metrics import roc_auc_score

    areas = np.full(len(rows.classes), np.nan)
    for i in np.unique(rows.true):
        own = rows.true == i
        if not own.all():
            areas[i] = roc_auc_score(own, rows.probabilities[:, i])
    return areas


def _in_top(rows: Rows) -> NDArray[np.bool_]:
    """Tell whose true class is among the `TOP` most probable, ties ranked as for the prediction."""
    own = np.take_along_axis(rows.probabilities, rows.true[:, None], axis=1)
    earlier = np.arange(len(rows.classes)) < rows.true[:, None]
    ahead = (rows.probabilities > own) | ((rows.probabilities == own) & earlier)
    return rows.known & (ahead.sum(axis=1) < TOP)


def _losses(rows: Rows) -> Floats:
    own = np.take_along_axis(rows.probabilities, rows.true[:, None], axis=1)[:, 0]
    return -np.log(np.clip(own, np.finfo(np.float64).eps, 1.0))


def _confusion(rows: Rows) -> NDArray[np.int64]:
    k = len(rows.classes)
    return np.bincount(rows.true * k + rows.predicted, minlength=k * k).reshape(k, k).astype(np.int64)


def _most_confused_with(rows: Rows) -> list[str]:
    wrong = _confusion(rows)
    np.fill_diagonal(wrong, 0)
    return [rows.classes[row.argmax()] if row.any() else "" for row in wrong]


def _intervals(rows: Rows, bootstrap: int, seed: int) -> dict[str, dict[str, float | None]]:
    drawn = [_statistics(rows, counts) for counts in _resamples(len(rows.true), bootstrap, seed)]
    intervals = {}
    for name in WITH_INTERVAL:
        values = np.concatenate([part[name] for part in drawn])
        defined = values[~np.isnan(values)]
        ends = np.percentile(defined, _CONFIDENCE) if len(defined) else (np.nan, np.nan)
        intervals[name] = {"low": _number(ends[0]), "high": _number(ends[1])}
    return intervals


def _resamples(n: int, bootstrap: int, seed: int) -> Iterator[Floats]:
    """Yield ``(n, b)`` arrays: how often each object occurs in each of b resamples of size n."""
    rng = np.random.default_rng([seed, zlib.crc32(b"bootstrap")])
    for start in range(0, bootstrap, _RESAMPLES_AT_ONCE):
        b = min(_RESAMPLES_AT_ONCE, bootstrap - start)
        cells = rng.integers(0, n, size=(b, n)) + n * np.arange(b)[:, None]
        yield np.bincount(cells.ravel(), minlength=b * n).reshape(b, n).T.astype(np.float64, order="C")


def _statistics(rows: Rows, counts: Floats) -> dict[str, Floats]:
    """Compute each metric on b resamples at once, ``(b,)`` each.

    All products of matrices below are of whole numbers, and so exact for every number of threads; the log
    loss is not, and is summed without BLAS.
    """
    n = len(rows.true)
    one_hot = np.eye(len(rows.classes))
    right = rows.true == rows.predicted
    support, predicted = one_hot[rows.true].T @ counts, one_hot[rows.predicted].T @ counts
    hits = (one_hot[rows.true] * right[:, None]).T @ counts
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    by_class = {"precision": precision, "recall": recall, "f1": f1}
    areas = [_resampled_auc(rows.true == i, rows.probabilities[:, i], counts) for i in np.unique(rows.true)]
    return {
        "accuracy": right.astype(np.float64) @ counts / n,
        "top_5_accuracy": _in_top(rows).astype(np.float64) @ counts / n,
        **{f"{name}_macro": _mean_of_defined(np.where(support > 0, one, np.nan)) for name, one in by_class.items()},
        **{f"{name}_weighted": (support * one).sum(axis=0) / n for name, one in by_class.items()},
        "roc_auc_ovr": _mean_of_defined(np.stack(areas)),
        "log_loss": (_losses(rows)[:, None] * counts).sum(axis=0) / n,
    }


def _resampled_auc(own: NDArray[np.bool_], scores: Floats, counts: Floats) -> Floats:
    """Give the ROC AUC of one class on b resamples, NaN where one side is empty.

    The Mann-Whitney count (Hanley & McNeil 1982): of all pairs of an object of the class and
    another, the share in which the first has the higher score, ties half. One sort serves all
    resamples, since drawing an object again does not move it.
    """
    order = np.argsort(scores, kind="stable")
    others = np.where(own[:, None], 0.0, counts)
    below = np.vstack([np.zeros(counts.shape[1]), np.cumsum(others[order], axis=0)])
    first = np.searchsorted(scores[order], scores[own], side="left")
    last = np.searchsorted(scores[order], scores[own], side="right")
    won = (counts[own] * (below[first] + below[last]) / 2).sum(axis=0)
    pairs = counts[own].sum(axis=0) * below[-1]
    return np.where(pairs > 0, won / np.maximum(pairs, 1), np.nan)


def _mean_of_defined(values: Floats) -> Floats:
    """Average ``(k, b)`` over k, NaN left out; NaN where nothing is left (and no warning)."""
    defined = ~np.isnan(values)
    n = defined.sum(axis=0)
    return np.where(n > 0, np.where(defined, values, 0.0).sum(axis=0) / np.maximum(n, 1), np.nan)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _DECIMALS)
