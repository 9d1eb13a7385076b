"""Predictions as arrays, for computing with them; see `art_pipeline.evaluation.predictions`."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.costs import Costs
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.evaluation.prediction_table import (
    check_table,
    choosing_rows,
    class_columns,
    costs_of,
    is_multilabel,
    known_classes,
    test_rows,
    threshold_columns,
)
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.tasks.label_sets import label_matrix

Which = Literal["test", "choosing"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Valid multi-class predictions as arrays, independent of the order of the table's rows.

    Attributes:
        object_ids: ``(n,)`` int64, ascending.
        classes: The k classes, sorted: those with a probability column and those that occur as a label.
        true: ``(n,)`` positions of the labels in ``classes``.
        predicted: ``(n,)`` positions of the most probable classes, ties go to the first; or, by the model's decision
            rule, of those with the least expected cost, see `art_pipeline.evaluation.costs`.
        probabilities: ``(n, k)`` float64 in 0..1; a class absent from training has a column of 0.
        known: ``(n,)`` bool, whether the model knows the true class.
        costs: Costs of mistakes between ``classes``; None where the model has none.
    """

    object_ids: NDArray[np.int64]
    classes: list[str]
    true: NDArray[np.intp]
    predicted: NDArray[np.intp]
    probabilities: Floats
    known: Flags
    costs: Costs | None = None

    @property
    def confidence(self) -> Floats:
        """Probability of the predicted class, ``(n,)``."""
        return np.take_along_axis(self.probabilities, self.predicted[:, None], axis=1)[:, 0]

    @property
    def expected_cost(self) -> Floats | None:
        """Expected cost of the prediction, ``(n,)``; None unless the model predicts by it."""
        if self.costs is None or self.costs.rule != "least_cost":
            return None
        return np.take_along_axis(self.costs.expected(self.probabilities), self.predicted[:, None], axis=1)[:, 0]


@dataclass(frozen=True, eq=False)
class LabelRows:
    """Valid multi-label predictions as arrays, independent of the order of the table's rows.

    Attributes:
        object_ids: ``(n,)`` int64, ascending.
        labels: The k labels, sorted: those with a probability column and those that occur in the rows.
        true: ``(n, k)`` bool.
        predicted: ``(n, k)`` bool, by the model's thresholds; a label absent from training is never predicted.
        probabilities: ``(n, k)`` float64 in 0..1; a label absent from training has a column of 0.
        thresholds: The model's, for these labels; NaN for a label absent from training.
    """

    object_ids: NDArray[np.int64]
    labels: tuple[str, ...]
    true: Flags
    predicted: Flags
    probabilities: Floats
    thresholds: LabelThresholds


def label_thresholds(predictions: pd.DataFrame) -> LabelThresholds:
    """Return the thresholds of a multi-label model, for its labels in sorted order.

    Raises:
        EvaluationError: The predictions are invalid, or of a multi-class task.
    """
    _check_kind(predictions, multilabel=True)
    classes, first = sorted(known_classes(predictions)), predictions.iloc[0]
    values = first[threshold_columns(classes)].to_numpy(np.float64)
    limits = int(first["min_labels"]), int(first["max_labels"])
    return LabelThresholds(tuple(classes), values, *limits, first.get("decision", "thresholds"))


def split_predictions(predictions: pd.DataFrame) -> tuple[NDArray[np.object_], Floats, list[str]]:
    """Validate a predictions table and split it into labels, probabilities and classes.

    Args:
        predictions: The table of `art_pipeline.evaluation.predictions`; columns in any order.

    Returns:
        ``(n,)`` labels (str) and ``(n, k)`` float64 probabilities, both of all rows in the table's order, and the k
        classes of the model, sorted: the order of the columns.

    Raises:
        EvaluationError: The table is empty, a column is missing, an id occurs twice, a label is missing, a split or an
            origin is unknown, a test image was used in training, probabilities are missing, outside 0..1, or, in a
            multi-class task, do not sum to 1 within 1e-6; or thresholds are of other labels, vary or are outside 0..1.
    """
    check_table(predictions)
    classes = sorted(known_classes(predictions))
    probabilities = predictions[class_columns(classes)].to_numpy(dtype=np.float64)
    return predictions["label"].to_numpy(dtype=object), probabilities, classes


def index_rows(predictions: pd.DataFrame, which: Which = "test") -> Rows:
    """Validate multi-class predictions and convert those of the test split to arrays, sorted by ``object_id``.

    Args:
        predictions: The table of `art_pipeline.evaluation.predictions`.
        which: ``test`` for `test_rows`, ``choosing`` for `choosing_rows`, which may be empty.

    Raises:
        EvaluationError: As `split_predictions`; or the predictions are multi-label, or have no test image.
    """
    _check_kind(predictions, multilabel=False)
    table = _select(predictions, which)
    model_classes = sorted(known_classes(table))
    classes = sorted({*model_classes, *table["label"]})
    position = {name: i for i, name in enumerate(classes)}
    true = np.array([position[name] for name in table["label"]], dtype=np.intp)
    known = [position[name] for name in model_classes]
    probabilities = np.zeros((len(table), len(classes)))
    probabilities[:, known] = table[class_columns(model_classes)].to_numpy(np.float64)
    costs = costs_of(predictions)
    decided = costs.of(model_classes).predict(probabilities[:, known]) if costs else probabilities[:, known].argmax(1)
    return Rows(
        object_ids=table["object_id"].to_numpy(dtype=np.int64),
        classes=classes,
        true=true,
        predicted=np.array(known, dtype=np.intp)[decided],
        probabilities=probabilities,
        known=np.isin(true, known),
        costs=costs.of(classes) if costs else None,
    )


def label_rows(predictions: pd.DataFrame, which: Which = "test") -> LabelRows:
    """Validate multi-label predictions and convert those of the test split to arrays, sorted by ``object_id``.

    Args:
        predictions: The table of `art_pipeline.evaluation.predictions`.
        which: ``test`` for `test_rows`, ``choosing`` for `choosing_rows`, which may be empty.

    Raises:
        EvaluationError: As `split_predictions`; or the predictions are multi-class, or have no test image.
    """
    model = label_thresholds(predictions)
    table = _select(predictions, which)
    found = {name for text in table["label"] for name in text.split(SEPARATOR) if name}
    labels = tuple(sorted({*model.labels, *found}))
    known = [labels.index(name) for name in model.labels]
    probabilities, values = np.zeros((len(table), len(labels))), np.full(len(labels), np.nan)
    probabilities[:, known] = table[class_columns(model.labels)].to_numpy(np.float64)
    values[known] = model.values
    thresholds = replace(model, labels=labels, values=values)
    return LabelRows(
        object_ids=table["object_id"].to_numpy(np.int64),
        labels=labels,
        true=label_matrix(table["label"], labels),
        predicted=thresholds.apply(probabilities, labels),
        probabilities=probabilities,
        thresholds=thresholds,
    )


def _select(predictions: pd.DataFrame, which: Which) -> pd.DataFrame:
    table = test_rows(predictions) if which == "test" else choosing_rows(predictions)
    if table.empty and which == "test":
        raise EvaluationError("The predictions have no image of the test split: predict at least one.")
    return table.sort_values("object_id", ignore_index=True)


def _check_kind(predictions: pd.DataFrame, *, multilabel: bool) -> None:
    if is_multilabel(predictions) != multilabel:
        found, wanted = ("multi-class", "multi-label") if multilabel else ("multi-label", "multi-class")
        columns = "without" if multilabel else "with"
        raise EvaluationError(f"The predictions are {found} ({columns} 't:' columns), not {wanted}.")
    check_table(predictions)
