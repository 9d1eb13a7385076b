"""The predictions table: the one thing that a model hands to its evaluation.

One row per object: ``object_id`` (int64, unique), ``label`` (str, the true class) and one
float64 column ``p:<class>`` for every class the model knows, its probability. Everything in
this package is computed from that table alone, so that a reviewer can compute it again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from art_pipeline.errors import EvaluationError

PREFIX = "p:"
SUM_TOLERANCE = 1e-6
# A float32 softmax over some hundred classes misses 1 by far less than this; logits by far more.
MODEL_SUM_TOLERANCE = 1e-3
_LISTED = 5


@dataclass(frozen=True, eq=False)
class Rows:
    """A checked predictions table as arrays, the same for every order of its rows.

    Attributes:
        object_ids: ``(n,)`` int64, ascending.
        classes: The k classes, sorted: those with a probability column and those that occur
            as a label.
        true: ``(n,)`` positions of the labels in ``classes``.
        predicted: ``(n,)`` positions of the most probable classes; ties go to the first.
        probabilities: ``(n, k)`` float64 in 0..1; a class absent from training has a column of 0.
        known: ``(n,)`` bool, whether the model knows the true class at all.
    """

    object_ids: NDArray[np.int64]
    classes: list[str]
    true: NDArray[np.intp]
    predicted: NDArray[np.intp]
    probabilities: NDArray[np.float64]
    known: NDArray[np.bool_]


def class_columns(classes: Iterable[str]) -> list[str]:
    """Name the probability columns of some classes: ``p:<class>``, in sorted class order."""
    return [f"{PREFIX}{name}" for name in sorted(classes)]


def make_predictions(
    object_ids: ArrayLike, labels: Iterable[str], probabilities: ArrayLike, classes: Sequence[str]
) -> pd.DataFrame:
    """Build the predictions table from what a model puts out.

    Rows that sum to 1 only within float32 are divided by their sum, in float64.

    Args:
        object_ids: ``(n,)`` integers, unique.
        labels: n true classes.
        probabilities: ``(n, k)`` floats in 0..1, column j for ``classes[j]``.
        classes: k class names, unique, in the model's order.

    Returns:
        The table described at the top of this module: rows by ``object_id``, columns by class.

    Raises:
        EvaluationError: Shapes differ, or the rows are no valid predictions.
    """
    ids, names = np.asarray(object_ids), np.asarray(list(labels), dtype=object)
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (len(ids), len(classes)) or len(names) != len(ids):
        raise EvaluationError(
            f"Cannot join {len(ids)} object ids, {len(names)} labels, {len(classes)} classes and "
            f"probabilities of shape {values.shape}: give one row per object, one column per class."
        )
    columns = [f"{PREFIX}{name}" for name in classes]
    table = pd.DataFrame(_normalised(values), columns=columns)
    table.insert(0, "object_id", ids)
    table.insert(1, "label", names)
    _check(table)
    ordered = table[["object_id", "label", *sorted(columns)]].astype({"object_id": np.int64})
    return ordered.sort_values("object_id", ignore_index=True)


def mean_predictions(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The mean of what several models say of the same objects.

    Args:
        tables: Predictions tables, at least one.

    Raises:
        EvaluationError: They are of different objects, labels or classes.
    """
    first, *others = [table.sort_values("object_id", ignore_index=True) for table in tables]
    columns = [name for name in first if name.startswith(PREFIX)]
    for other in others:
        if list(other) != list(first) or not other[["object_id", "label"]].equals(first[["object_id", "label"]]):
            raise EvaluationError("Predictions of different objects or classes have no mean: predict the same ones.")
    means = np.mean([table[columns] for table in (first, *others)], axis=0)
    return first.assign(**dict(zip(columns, means.T, strict=True)))


def split_predictions(
    predictions: pd.DataFrame,
) -> tuple[NDArray[np.object_], NDArray[np.float64], list[str]]:
    """Check a predictions table and take it apart.

    Args:
        predictions: The table described at the top of this module; columns in any order.

    Returns:
        ``(n,)`` true classes (str) and ``(n, k)`` float64 probabilities, both in the table's row
        order, and the k classes that the model knows, sorted: the order of the columns.

    Raises:
        EvaluationError: The table is empty, a column is missing, an id occurs twice, a label is
            missing, or probabilities are missing, outside 0..1, or do not sum to 1 within 1e-6.
    """
    _check(predictions)
    classes = sorted(_known_classes(predictions))
    probabilities = predictions[class_columns(classes)].to_numpy(dtype=np.float64)
    return predictions["label"].to_numpy(dtype=object), probabilities, classes


def index_rows(predictions: pd.DataFrame) -> Rows:
    """Check a predictions table and turn its class names into positions.

    Rows are put in the order of ``object_id``: no number may depend on the order in which a
    model met its objects.

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


def _known_classes(predictions: pd.DataFrame) -> list[str]:
    return [str(name)[len(PREFIX) :] for name in predictions.columns if str(name).startswith(PREFIX)]


def _normalised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide rows by their sum where that only removes rounding; leave others to the check."""
    sums = values.sum(axis=1, keepdims=True)
    return np.where(np.abs(sums - 1) <= MODEL_SUM_TOLERANCE, values / np.where(sums == 0, 1, sums), values)


def _check(predictions: pd.DataFrame) -> None:
    _check_columns(predictions)
    _check_objects(predictions)
    _check_probabilities(predictions)


def _check_columns(predictions: pd.DataFrame) -> None:
    missing = [name for name in ("object_id", "label") if name not in predictions.columns]
    if missing:
        raise EvaluationError(f"The predictions have no column {missing[0]!r}: it names each object's row.")
    repeated = predictions.columns[predictions.columns.duplicated()]
    if len(repeated):
        raise EvaluationError(f"The predictions have two columns {repeated[0]!r}: class names must differ.")
    if not _known_classes(predictions):
        raise EvaluationError(
            "The predictions have no probabilities: add one column 'p:<class>' per class the model knows."
        )
    if predictions.empty:
        raise EvaluationError("The predictions are empty: give the model at least one test object.")


def _check_objects(predictions: pd.DataFrame) -> None:
    ids, labels = predictions["object_id"], predictions["label"]
    if not pd.api.types.is_integer_dtype(ids):
        raise EvaluationError(f"The predictions' object_id is {ids.dtype}, not integer: use the museum's ids.")
    if ids.duplicated().any():
        raise EvaluationError(
            f"The predictions name object {_listed(ids[ids.duplicated()])} more than once: keep one row per object."
        )
    unlabelled = ~labels.map(lambda name: isinstance(name, str)).to_numpy(dtype=bool)
    if unlabelled.any():
        raise EvaluationError(f"The predictions have no label (a str) for object {_listed(ids[unlabelled])}.")


def _check_probabilities(predictions: pd.DataFrame) -> None:
    ids, columns = predictions["object_id"], class_columns(_known_classes(predictions))
    if not all(pd.api.types.is_numeric_dtype(predictions[name]) for name in columns):
        raise EvaluationError("The predictions' 'p:' columns must hold floats: the probabilities of classes.")
    values = predictions[columns].to_numpy(dtype=np.float64)
    broken = ~np.isfinite(values).all(axis=1)
    if broken.any():
        raise EvaluationError(f"Probabilities are NaN or infinite for object {_listed(ids[broken])}.")
    outside = ((values < 0) | (values > 1 + SUM_TOLERANCE)).any(axis=1)
    if outside.any():
        raise EvaluationError(f"Probabilities lie outside 0..1 for object {_listed(ids[outside])}.")
    off = np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE
    if off.any():
        raise EvaluationError(
            f"Probabilities do not sum to 1 for object {_listed(ids[off])} (the first sums to "
            f"{values[off][0].sum():.6g}): give probabilities, not scores."
        )


def _listed(ids: pd.Series) -> str:
    """Name the first few ids, and how many more there are."""
    shown = ", ".join(str(value) for value in ids.iloc[:_LISTED])
    return shown if len(ids) <= _LISTED else f"{shown} and {len(ids) - _LISTED} more"
