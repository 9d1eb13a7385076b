"""The predictions table: the only interface between a model and its evaluation.

One row per image of the task, whatever its split:

* ``object_id`` (int64, unique) and ``label`` (str): the true class. In a multi-label task, the true labels joined by
  ``|``; ``""`` for none.
* ``split`` (str): ``train``, ``validation`` or ``test``.
* ``origin`` (str): ``held_out`` where the model was not trained on the image; ``out_of_fold`` where the image was
  predicted by models trained on other folds; ``resubstitution`` where the model was trained on the image.
* ``p:<class>`` (float64 in 0..1), one column per class of the model: its probability. A row sums to 1, except in a
  multi-label task, where labels are independent.
* Multi-class only, where mistakes have costs: ``decision`` (str), the same in each row: costs and decision rule, as
  JSON (`art_pipeline.evaluation.costs`).
* Multi-label only: ``t:<class>`` (float64 in 0..1), the model's threshold of each label, and ``min_labels`` and
  ``max_labels`` (int64), the limits on the number of labels per image; ``decision``, ``thresholds`` (as where the
  column is missing) or ``expected_f2``; see `art_pipeline.evaluation.label_thresholds`. Each of these is constant.

All results are computed from this table alone, so that anyone can recompute them: from the rows of the test split,
with thresholds that were chosen on other rows, on which the model was not trained either.
"""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from art_pipeline.common.arrays import Floats
from art_pipeline.common.progress import titled
from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.cost_files import costs_to_json
from art_pipeline.evaluation.costs import Costs
from art_pipeline.evaluation.label_thresholds import LabelThresholds, ThresholdOptions, choose_thresholds
from art_pipeline.evaluation.prediction_rows import (
    LabelRows,
    Rows,
    index_rows,
    label_rows,
    label_thresholds,
    split_predictions,
)
from art_pipeline.evaluation.prediction_table import (
    DECISION,
    ORIGINS,
    check_table,
    choosing_rows,
    class_columns,
    is_multilabel,
    known_classes,
    test_rows,
    threshold_columns,
)
from art_pipeline.tasks.label_sets import label_matrix

log = logging.getLogger(__name__)

__all__ = [
    "LabelRows",
    "Rows",
    "add_costs",
    "check_table",
    "choosing_rows",
    "class_columns",
    "index_rows",
    "is_multilabel",
    "known_classes",
    "label_rows",
    "label_thresholds",
    "make_predictions",
    "mean_predictions",
    "split_predictions",
    "test_rows",
]

# The sum of a float32 softmax over hundreds of classes is far closer to 1 than this; that of logits is not.
MODEL_SUM_TOLERANCE = 1e-3
_MANIFEST = ["object_id", "label", "split"]


def make_predictions(
    manifest_rows: pd.DataFrame,
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    origins: ArrayLike,
    thresholds: LabelThresholds | Sequence[float] | None = None,
) -> pd.DataFrame:
    """Build the predictions table from a model's output.

    Rows of a multi-class model that sum to 1 only in float32 precision are normalized in float64.

    Args:
        manifest_rows: n rows with ``object_id`` (integer, unique), ``label`` and ``split``; other columns are ignored.
        probabilities: ``(n, k)`` floats in 0..1, column j for ``classes[j]``.
        classes: k class names, unique, in the model's order.
        origins: ``(n,)`` origins, or one for all rows: ``held_out``, ``out_of_fold`` or ``resubstitution``.
        thresholds: The model's threshold for each class of a multi-label task, in the order of ``classes``. None for a
            multi-class task.

    Returns:
        The table described at the top of this module, rows sorted by ``object_id`` and columns by class.

    Raises:
        EvaluationError: Shapes differ, the thresholds are of other labels, or the predictions are invalid.

    >>> rows = pd.DataFrame({"object_id": [7], "label": ["vase"], "split": ["test"]})
    >>> make_predictions(rows, [[0.75, 0.25]], ["vase", "print"], origins="held_out")
       object_id label split    origin  p:print  p:vase
    0          7  vase  test  held_out     0.25    0.75
    """
    values, ordered = _as_values(probabilities, len(manifest_rows), len(classes)), sorted(classes)
    table = manifest_rows[_MANIFEST].reset_index(drop=True).assign(origin=_origins(origins, len(values)))
    if thresholds is None:
        values = _normalised(values)
    else:
        chosen = _as_thresholds(thresholds, tuple(classes))
        table = table.assign(**_rule(chosen))
        values = np.hstack([values, np.broadcast_to(chosen.values, values.shape)])
    names = [f"p:{name}" for name in classes] + [f"t:{name}" for name in classes if thresholds is not None]
    table = pd.concat([table, pd.DataFrame(values, columns=names)], axis=1)
    check_table(table)
    columns = [name for name in table if name not in names] + class_columns(ordered)
    columns += threshold_columns(ordered) if thresholds is not None else []
    return table[columns].astype({"object_id": np.int64}).sort_values("object_id", ignore_index=True)


def _as_values(probabilities: ArrayLike, rows: int, classes: int) -> Floats:
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (rows, classes):
        raise EvaluationError(
            f"Cannot join {rows} objects, {classes} classes and probabilities of shape {values.shape}: give one row "
            "per object and one column per class."
        )
    return values


def add_costs(predictions: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Add the costs of mistakes, and the decision rule, to the predictions of a multi-class model.

    Args:
        predictions: A predictions table.
        costs: Costs, and the rule by which classes are predicted.

    Returns:
        The table with the column ``decision``.

    Raises:
        EvaluationError: The costs are for other classes, or the predictions are multi-label.
    """
    if is_multilabel(predictions):
        raise EvaluationError("The predictions are multi-label: costs are for one class per image.")
    costs.check_classes(known_classes(predictions))
    table = predictions.drop(columns=DECISION, errors="ignore")
    table.insert(list(table).index(class_columns(costs.classes)[0]), DECISION, costs_to_json(costs))
    return table


def mean_predictions(tables: Sequence[pd.DataFrame], thresholds: ThresholdOptions | None = None) -> pd.DataFrame:
    """Average the predictions of several models for the objects that all of them have.

    A model that starts from one of another task may lack objects (``leaks: drop``).

    An image's origin is ``resubstitution`` if it is for one of the models, and otherwise ``out_of_fold`` if it is for
    one of them. Thresholds of a multi-label task are chosen on the averaged `choosing_rows`; if there are none, they
    are the means of the models' thresholds.

    Args:
        tables: Predictions tables, at least one.
        thresholds: How thresholds are chosen; None for the defaults.

    Raises:
        EvaluationError: A table is invalid, or the tables have no common objects, or different labels, splits or
            classes.
    """
    first, *others = ordered = _common([_ordered(table) for table in tables])
    if any(set(other) != set(first) or not other[_MANIFEST].equals(first[_MANIFEST]) for other in others):
        raise EvaluationError(
            "Predictions with different labels, splits or classes cannot be averaged: evaluate models of one task."
        )
    classes = sorted(known_classes(first))
    means = np.mean([table[class_columns(classes)].to_numpy(np.float64) for table in ordered], axis=0)
    ranks = np.max([table["origin"].map(ORIGINS.index).to_numpy() for table in ordered], axis=0)
    origins = np.array(ORIGINS, dtype=object)[ranks]
    if not is_multilabel(first):
        return make_predictions(first, means, classes, origins=origins)
    usable = first.index.isin(choosing_rows(first.assign(origin=origins)).index)
    if usable.any():
        true = label_matrix(first.loc[usable, "label"], classes)
        chosen = choose_thresholds(true, means[usable], classes, thresholds or ThresholdOptions())
    else:
        chosen = _mean_thresholds(ordered)
    return make_predictions(first, means, classes, origins=origins, thresholds=chosen)


def _common(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the rows of the objects that all tables have, and log how many are left out."""
    ids = [set(table["object_id"]) for table in tables]
    common = set.intersection(*ids)
    if not common:
        raise EvaluationError("The models have predictions for no common objects: evaluate models of one task.")
    if left := len(set.union(*ids)) - len(common):
        log.info("%s", titled(f"{left} images are left out, which not all of the models have."))
    return [table[table["object_id"].isin(common)].reset_index(drop=True) for table in tables]


def _ordered(predictions: pd.DataFrame) -> pd.DataFrame:
    check_table(predictions)
    costs = [] if is_multilabel(predictions) else [DECISION]
    return predictions.drop(columns=costs, errors="ignore").sort_values("object_id", ignore_index=True)


def _origins(origins: ArrayLike, n: int) -> NDArray[np.object_]:
    values = np.asarray(origins, dtype=object)
    if values.shape not in {(), (n,)}:
        raise EvaluationError(f"There are {n} objects and {values.size} origins: give one per object, or one for all.")
    return np.broadcast_to(values, (n,))


def _as_thresholds(given: LabelThresholds | Sequence[float], classes: tuple[str, ...]) -> LabelThresholds:
    if not isinstance(given, LabelThresholds):
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (len(classes),):
            raise EvaluationError(f"There are {len(classes)} classes and {values.size} thresholds: give one per class.")
        return LabelThresholds(classes, values)
    given.check_labels(classes)
    return given


def _rule(thresholds: LabelThresholds) -> dict[str, int | str]:
    labels = len(thresholds.labels)
    most = labels if thresholds.max_labels is None else thresholds.max_labels
    return {"min_labels": thresholds.min_labels, "max_labels": most, "decision": thresholds.decision}


def _mean_thresholds(tables: Sequence[pd.DataFrame]) -> LabelThresholds:
    """Average the thresholds of models; all of their limits on the number of labels hold."""
    each = [label_thresholds(table) for table in tables]
    most = min(len(one.labels) if one.max_labels is None else one.max_labels for one in each)
    least = min(most, max(one.min_labels for one in each))
    values = np.mean([one.values for one in each], axis=0)
    return LabelThresholds(each[0].labels, values, least, most, each[0].decision)


def _normalised(values: Floats) -> Floats:
    """Divide rows by their sum where this only removes rounding errors; `check_table` rejects the others."""
    sums = values.sum(axis=1, keepdims=True)
    return np.where(np.abs(sums - 1) <= MODEL_SUM_TOLERANCE, values / np.where(sums == 0, 1, sums), values)
