"""Metrics of a model, on the test split.

Those of a multi-label model are computed by `art_pipeline.evaluation.multilabel`. Conventions of the others:

* The predicted class is the most probable one; ties go to the first in sorted class order. Where mistakes have costs,
  it is the one with the least expected cost, if the model decides so.
* A class absent from training (a label without a ``p:`` column) has probability 0 for every image. Its images count as
  wrong, also in the top 5; its ROC AUC is that of a constant score, 0.5; each of its images adds ``-log(eps)``, about
  36, to the log loss before averaging.
* A class without test images enters no macro average: its recall is undefined. Images wrongly predicted as this class
  still lower the recall of their own classes.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.bootstrap import as_number, mean_defined, percentile_intervals, resample_counts, roc_auc
from art_pipeline.evaluation.multilabel import label_confusion, label_metrics, label_table
from art_pipeline.evaluation.prediction_rows import Rows, index_rows, label_rows
from art_pipeline.evaluation.prediction_table import is_multilabel

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
WITH_COSTS = ("mean_cost", "cost_saved")  # intervals where mistakes have costs


def compute_metrics(predictions: pd.DataFrame, *, bootstrap: int = 1000, seed: int = 0) -> dict[str, object]:
    """Compute all metrics of a model.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`), in any order.
        bootstrap: Number of bootstrap resamples, 0 or more; 0 for no intervals.
        seed: Random seed of the resamples, 0 or more.

    Returns:
        What `multilabel.label_metrics` returns, if the model is multi-label. Otherwise a dict for JSON, floats rounded
        to 12 decimals, None where undefined (such as the AUC of a single class):

        * ``n``: number of images.
        * ``accuracy``; ``top_5_accuracy``: share of images whose true class is among the five most probable. With five
          classes or fewer it is 1.0 by definition (unless a label is absent from training).
        * ``precision_macro``, ``recall_macro``, ``f1_macro``: means over the classes that have test images; a class
          that is never predicted has precision 0. ``…_weighted``: weighted by support.
        * ``roc_auc_ovr``: mean one-vs-rest ROC AUC over classes (Fawcett 2006, section 9), for classes with positive
          and negative images.
        * ``log_loss``: mean of ``-log`` of the true class's probability, clipped at float64's eps.
        * ``expected_calibration_error``: see the function of that name.
        * Where mistakes have costs: ``mean_cost`` of an image; and if the model decides by least expected cost,
          ``mean_cost_likeliest`` and ``accuracy_likeliest`` of the most probable class, and ``cost_saved``, the first
          minus ``mean_cost``, whose interval is that of the paired difference.
        * ``interval_95``: ``{metric: {"low", "high"}}`` for `WITH_INTERVAL`, by percentile bootstrap over images. It
          covers the sampling of test images, not of training. With a handful of images per class, resamples miss some
          of them, and the macro intervals of precision and F1 are biased downwards.

    Raises:
        EvaluationError: The predictions are invalid, or `bootstrap` or `seed` is negative.

    >>> from art_pipeline.evaluation.predictions import make_predictions
    >>> rows = pd.DataFrame({"object_id": [1, 2, 3], "label": ["print", "vase", "vase"], "split": "test"})
    >>> probabilities = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> predictions = make_predictions(rows, probabilities, ["print", "vase"], origins="held_out")
    >>> metrics = compute_metrics(predictions, bootstrap=0)
    >>> round(metrics["accuracy"], 3), round(metrics["f1_macro"], 3)
    (0.667, 0.667)
    """
    if bootstrap < 0 or seed < 0:
        raise EvaluationError(f"Cannot draw {bootstrap} bootstrap resamples with seed {seed}: both must be 0 or more.")
    if is_multilabel(predictions):
        return label_metrics(predictions, bootstrap=bootstrap, seed=seed)
    rows = index_rows(predictions)
    estimates = {name: as_number(value) for name, value in _point_estimates(rows).items()}
    resamples = [_statistics(rows, counts) for counts in resample_counts(len(rows.true), bootstrap, seed)]
    named = [*WITH_INTERVAL, *(name for name in WITH_COSTS if name in estimates)]
    intervals = percentile_intervals(resamples, named) if bootstrap else {}
    return {"n": len(rows.true), **estimates, "interval_95": intervals}


def per_class_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Compute the metrics of each class.

    The mean of a column, NaN ignored, is the macro average of `compute_metrics`.

    Returns:
        What `multilabel.label_table` returns, if the model is multi-label. Otherwise one row per class of the model or
        the labels, sorted: ``class`` (str), ``support`` and ``predicted`` (int64,
        numbers of images), ``precision``, ``recall``, ``f1`` and ``roc_auc`` (float64 in 0..1; NaN for a class without
        test images) and ``most_confused_with`` (str): the class that most of its images were wrongly predicted as,
        ties to the first; empty if there is none.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    if is_multilabel(predictions):
        return label_table(predictions)
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
    """Count images by true and predicted class.

    Returns:
        What `multilabel.label_confusion` returns, if the model is multi-label. Otherwise ``(k, k)`` int64, index
        ``true`` and columns ``predicted``: all classes, sorted, including those without test images or without a
        probability column.

    Raises:
        EvaluationError: The predictions are invalid.

    >>> from art_pipeline.evaluation.predictions import make_predictions
    >>> rows = pd.DataFrame({"object_id": [1, 2, 3], "label": ["print", "vase", "vase"], "split": "test"})
    >>> probabilities = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> predictions = make_predictions(rows, probabilities, ["print", "vase"], origins="held_out")
    >>> confusion_table(predictions).to_numpy()
    array([[1, 0],
           [1, 1]])
    """
    if is_multilabel(predictions):
        return label_confusion(predictions)
    rows = index_rows(predictions)
    return pd.DataFrame(
        _confusion(rows),
        index=pd.Index(rows.classes, name="true"),
        columns=pd.Index(rows.classes, name="predicted"),
    )


def calibration_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Compare confidence (the probability of the predicted class) and accuracy, in ten bins of equal width.

    For a multi-label model, compare the probability of every label of every image with the share of them that have it.
    Bin m holds the images whose confidence is in ((m-1)/10, m/10] (Guo et al. 2017, "On Calibration of Modern Neural
    Networks", section 2).

    Returns:
        Ten rows: ``low`` and ``high`` (the bin), ``n`` (int64), mean ``confidence`` and ``accuracy``; the last two are
        NaN in an empty bin.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    if is_multilabel(predictions):
        labels = label_rows(predictions)
        return _bins(labels.probabilities.ravel(), labels.true.ravel())
    rows = index_rows(predictions)
    return _bins(rows.confidence, rows.true == rows.predicted)


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Return the mean difference of accuracy and confidence, weighted by bin size (Guo et al. 2017, eq. 3).

    Args:
        bins: What `calibration_table` returns.

    >>> expected_calibration_error(pd.DataFrame({"n": [1, 1], "confidence": [0.5, 1.0], "accuracy": [1.0, 1.0]}))
    0.25
    """
    gaps = (bins["accuracy"] - bins["confidence"]).abs().fillna(0.0)
    return float((gaps * bins["n"]).sum() / bins["n"].sum())


def _point_estimates(rows: Rows) -> dict[str, float]:
    once = {name: values[0] for name, values in _statistics(rows, np.ones((len(rows.true), 1))).items()}
    bins = _bins(rows.confidence, rows.true == rows.predicted)
    return once | {"expected_calibration_error": expected_calibration_error(bins)}


def _bins(confidence: Floats, correct: Flags) -> pd.DataFrame:
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
    bins = np.digitize(confidence, edges[1:-1], right=True)
    n = np.bincount(bins, minlength=CALIBRATION_BINS)
    with np.errstate(invalid="ignore"):  # 0 / 0 gives the NaN of an empty bin
        means = [np.bincount(bins, weights=values, minlength=CALIBRATION_BINS) / n for values in (confidence, correct)]
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
    """Return the one-vs-rest ROC AUC of each class, ``(k,)``; NaN without positive or negative images."""
    from sklearn.metrics import roc_auc_score

    areas = np.full(len(rows.classes), np.nan)
    for i in np.unique(rows.true):
        own = rows.true == i
        if not own.all():
            areas[i] = roc_auc_score(own, rows.probabilities[:, i])
    return areas


def _in_top(rows: Rows) -> Flags:
    """Return whether the true class is among the `TOP` most probable; ties as for the predicted class."""
    own = np.take_along_axis(rows.probabilities, rows.true[:, None], axis=1)
    earlier = np.arange(len(rows.classes)) < rows.true[:, None]
    ahead = (rows.probabilities > own) | ((rows.probabilities == own) & earlier)
    in_top: Flags = rows.known & (ahead.sum(axis=1) < TOP)
    return in_top


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


def _statistics(rows: Rows, counts: Floats) -> dict[str, Floats]:
    """Compute each metric on b resamples at once, ``(b,)`` each.

    The matrix products are of whole numbers, and therefore exact for any number of threads. The log loss is not, and
    is summed without BLAS.
    """
    n = len(rows.true)
    one_hot = np.eye(len(rows.classes))
    correct = rows.true == rows.predicted
    support, predicted = one_hot[rows.true].T @ counts, one_hot[rows.predicted].T @ counts
    hits = (one_hot[rows.true] * correct[:, None]).T @ counts
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    by_class = {"precision": precision, "recall": recall, "f1": f1}
    areas = [roc_auc(rows.true == i, rows.probabilities[:, i], counts) for i in np.unique(rows.true)]
    return {
        "accuracy": correct.astype(np.float64) @ counts / n,
        "top_5_accuracy": _in_top(rows).astype(np.float64) @ counts / n,
        **{f"{name}_macro": mean_defined(np.where(support > 0, one, np.nan)) for name, one in by_class.items()},
        **{f"{name}_weighted": (support * one).sum(axis=0) / n for name, one in by_class.items()},
        "roc_auc_ovr": mean_defined(np.stack(areas)),
        "log_loss": (_losses(rows)[:, None] * counts).sum(axis=0) / n,
        **{name: (values[:, None] * counts).sum(axis=0) / n for name, values in _cost_columns(rows).items()},
    }


def _cost_columns(rows: Rows) -> dict[str, Floats]:
    """Return what is averaged over images where mistakes have costs, ``(n,)`` each."""
    if rows.costs is None:
        return {}
    costs: Floats = rows.costs.values[rows.true, rows.predicted]
    if rows.costs.rule == "likeliest":
        return {"mean_cost": costs}
    likeliest = rows.probabilities.argmax(axis=1)
    others: Floats = rows.costs.values[rows.true, likeliest]
    right: Floats = (rows.true == likeliest).astype(np.float64)
    means = {"mean_cost": costs, "mean_cost_likeliest": others, "accuracy_likeliest": right}
    return means | {"cost_saved": others - costs}
