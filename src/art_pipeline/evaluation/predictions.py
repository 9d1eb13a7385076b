"""The predictions table: the only interface between a model and its evaluation.

One row per object: ``object_id`` (int64, unique), ``label`` (str, the true class) and one float64 column ``p:<class>``
per class of the model, its probability. All results are computed from this table alone, so that anyone can recompute
them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from art_pipeline.errors import EvaluationError

PREFIX = "p:"
SUM_TOLERANCE = 1e-6
# The sum of a float32 softmax over hundreds of classes is far closer to 1 than this; that of logits is not.
MODEL_SUM_TOLERANCE = 1e-3
_LISTED = 5


@dataclass(frozen=True, eq=False)
class Rows:
    """A valid predictions table as arrays, independent of the order of its rows.

    Attributes:
        object_ids: ``(n,)`` int64, ascending.
        classes: The k classes, sorted: those with a probability column and those that occur as a label.
        true: ``(n,)`` positions of the labels in ``classes``.
        predicted: ``(n,)`` positions of the most probable classes; ties go to the first.
        probabilities: ``(n, k)`` float64 in 0..1; a class absent from training has a column of 0.
        known: ``(n,)`` bool, whether the model knows the true class.
    """

    object_ids: NDArray[np.int64]
    classes: list[str]
    true: NDArray[np.intp]
    predicted: NDArray[np.intp]
    probabilities: NDArray[np.float64]
    known: NDArray[np.bool_]


def class_columns(classes: Iterable[str]) -> list[str]:
    """Return the names of the probability columns, ``p:<class>``, sorted by class.

    >>> class_columns(["vase", "print"])
    ['p:print', 'p:vase']
    """
    return [f"{PREFIX}{name}" for name in sorted(classes)]


def known_classes(predictions: pd.DataFrame) -> list[str]:
    """Return the classes that have a probability column, in column order."""
    return [str(name)[len(PREFIX) :] for name in predictions.columns if str(name).startswith(PREFIX)]


def make_predictions(
    object_ids: ArrayLike, labels: Iterable[str], probabilities: ArrayLike, classes: Sequence[str]
) -> pd.DataFrame:
    """Build the predictions table from a model's output.

    Rows that sum to 1 only in float32 precision are normalized in float64.

    Args:
        object_ids: ``(n,)`` integers, unique.
        labels: n true classes.
        probabilities: ``(n, k)`` floats in 0..1, column j for ``classes[j]``.
        classes: k class names, unique, in the model's order.

    Returns:
        The table described at the top of this module, rows sorted by ``object_id`` and columns by class.

    Raises:
        EvaluationError: Shapes differ, or the predictions are invalid.

    >>> make_predictions([7], ["vase"], [[0.75, 0.25]], ["vase", "print"])
       object_id label  p:print  p:vase
    0          7  vase     0.25    0.75
    """
    ids, names = np.asarray(object_ids), np.asarray(list(labels), dtype=object)
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (len(ids), len(classes)) or len(names) != len(ids):
        raise EvaluationError(
            f"Cannot join {len(ids)} object ids, {len(names)} labels, {len(classes)} classes and "
            f"probabilities of shape {values.shape}: give one row per object and one column per class."
        )
    columns = [f"{PREFIX}{name}" for name in classes]
    table = pd.DataFrame(_normalised(values), columns=columns)
    table.insert(0, "object_id", ids)
    table.insert(1, "label", names)
    check_table(table)
    ordered = table[["object_id", "label", *sorted(columns)]].astype({"object_id": np.int64})
    return ordered.sort_values("object_id", ignore_index=True)


def mean_predictions(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the predictions of several models for the same objects.

    Args:
        tables: Predictions tables, at least one.

    Raises:
        EvaluationError: The tables have different objects, labels or classes.
    """
    first, *others = [table.sort_values("object_id", ignore_index=True) for table in tables]
    columns = class_columns(known_classes(first))
    for other in others:
        if list(other) != list(first) or not other[["object_id", "label"]].equals(first[["object_id", "label"]]):
            raise EvaluationError(
                "Predictions for different objects or classes cannot be averaged: predict the same ones."
            )
    means = np.mean([table[columns] for table in (first, *others)], axis=0)
    first[columns] = means
    return first


def split_predictions(
    predictions: pd.DataFrame,
) -> tuple[NDArray[np.object_], NDArray[np.float64], list[str]]:
    """Validate a predictions table and split it into labels, probabilities and classes.

    Args:
        predictions: The table described at the top of this module; columns in any order.

    Returns:
        ``(n,)`` true classes (str) and ``(n, k)`` float64 probabilities, both in the table's row order, and the k
        classes of the model, sorted: the order of the columns.

    Raises:
        EvaluationError: The table is empty, a column is missing, an id occurs twice, a label is missing, or
            probabilities are missing, outside 0..1, or do not sum to 1 within 1e-6.
    """
    check_table(predictions)
    classes = sorted(known_classes(predictions))
    probabilities = predictions[class_columns(classes)].to_numpy(dtype=np.float64)
    return predictions["label"].to_numpy(dtype=object), probabilities, classes


def index_rows(predictions: pd.DataFrame) -> Rows:
    """Validate a predictions table and convert it to arrays, sorted by ``object_id``.

    Raises:
        EvaluationError: As `split_predictions`.
    """
    labels, known_probabilities, known_classes = split_predictions(predictions)
    order = np.argsort(predictions["object_id"].to_numpy(), kind="stable")
    classes = sorted({*known_classes, *labels})
    position = {name: i for i, name in enumerate(classes)}
    true = np.array([position[name] for name in labels[order]], dtype=np.intp)
    known = [position[name] for name in known_classes]
    probabilities = np.zeros((len(labels), len(classes)))
    probabilities[:, known] = known_probabilities[order]
    return Rows(
        object_ids=predictions["object_id"].to_numpy(dtype=np.int64)[order],
        classes=classes,
        true=true,
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        known=np.isin(true, known),
    )


def _normalised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide rows by their sum where this only removes rounding errors; `check_table` rejects the others."""
    sums = values.sum(axis=1, keepdims=True)
    return np.where(np.abs(sums - 1) <= MODEL_SUM_TOLERANCE, values / np.where(sums == 0, 1, sums), values)


def check_table(predictions: pd.DataFrame, *, sum_to_1: bool = True) -> None:
    """Validate a predictions table.

    Args:
        predictions: The table described at the top of this module.
        sum_to_1: Whether the probabilities of a row must sum to 1 (within 1e-6).

    Raises:
        EvaluationError: Names the column, or the first objects, and what is wrong.
    """
    _check_columns(predictions)
    _check_objects(predictions)
    _check_probabilities(predictions, sum_to_1)


def _check_columns(predictions: pd.DataFrame) -> None:
    missing = [name for name in ("object_id", "label") if name not in predictions.columns]
    if missing:
        raise EvaluationError(f"The predictions have no column {missing[0]!r}.")
    repeated = predictions.columns[predictions.columns.duplicated()]
    if len(repeated):
        raise EvaluationError(f"The predictions have two columns {repeated[0]!r}: class names must be unique.")
    if not known_classes(predictions):
        raise EvaluationError("The predictions have no probabilities: add one column 'p:<class>' per class.")
    if predictions.empty:
        raise EvaluationError("The predictions are empty: predict at least one test image.")


def _check_objects(predictions: pd.DataFrame) -> None:
    ids, labels = predictions["object_id"], predictions["label"]
    if not pd.api.types.is_integer_dtype(ids):
        raise EvaluationError(f"The predictions' object_id is {ids.dtype}, not integer: use the museum's ids.")
    if ids.duplicated().any():
        raise EvaluationError(
            f"The predictions have several rows for object {_first_ids(ids[ids.duplicated()])}: keep one per object."
        )
    unlabelled = ~labels.map(lambda name: isinstance(name, str)).to_numpy(dtype=bool)
    if unlabelled.any():
        raise EvaluationError(f"The predictions have no label (a str) for object {_first_ids(ids[unlabelled])}.")


def _check_probabilities(predictions: pd.DataFrame, sum_to_1: bool) -> None:
    ids, columns = predictions["object_id"], class_columns(known_classes(predictions))
    if not all(pd.api.types.is_numeric_dtype(predictions[name]) for name in columns):
        raise EvaluationError("The predictions' 'p:' columns must be floats: the probabilities of classes.")
    values = predictions[columns].to_numpy(dtype=np.float64)
    invalid = ~np.isfinite(values).all(axis=1)
    if invalid.any():
        raise EvaluationError(f"Probabilities are NaN or infinite for object {_first_ids(ids[invalid])}.")
    outside = np.any((values < 0) | (values > 1 + SUM_TOLERANCE), axis=1)
    if outside.any():
        raise EvaluationError(f"Probabilities are outside 0..1 for object {_first_ids(ids[outside])}.")
    off = np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE
    if sum_to_1 and off.any():
        raise EvaluationError(
            f"Probabilities do not sum to 1 for object {_first_ids(ids[off])} (the sum of the first is "
            f"{values[off][0].sum():.6g}): give probabilities, not scores."
        )


def _first_ids(ids: "pd.Series[int]") -> str:
    """List the first few ids, and how many more there are."""
    shown = ", ".join(str(value) for value in ids.iloc[:_LISTED])
    return shown if len(ids) <= _LISTED else f"{shown} and {len(ids) - _LISTED} more"
