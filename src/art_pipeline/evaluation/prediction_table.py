"""Columns of the predictions table, and their validation; see `art_pipeline.evaluation.predictions`."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.cost_files import costs_from_json
from art_pipeline.evaluation.costs import Costs
from art_pipeline.sources.columns import SEPARATOR

PREFIX, THRESHOLD_PREFIX = "p:", "t:"
TEXTS = ("label", "split", "origin")
LIMITS = ("min_labels", "max_labels")
DECISION, DECISIONS = "decision", ("thresholds", "expected_f2")
SPLITS = ("train", "validation", "test")
HELD_OUT, OUT_OF_FOLD, RESUBSTITUTION = ORIGINS = ("held_out", "out_of_fold", "resubstitution")
SUM_TOLERANCE = 1e-6
_LISTED = 5


def class_columns(classes: Iterable[str]) -> list[str]:
    """Return the names of the probability columns, ``p:<class>``, sorted by class.

    >>> class_columns(["vase", "print"])
    ['p:print', 'p:vase']
    """
    return [f"{PREFIX}{name}" for name in sorted(classes)]


def threshold_columns(classes: Iterable[str]) -> list[str]:
    """Return the names of the threshold columns of a multi-label table, ``t:<class>``, sorted by class."""
    return [f"{THRESHOLD_PREFIX}{name}" for name in sorted(classes)]


def known_classes(predictions: pd.DataFrame) -> list[str]:
    """Return the classes that have a probability column, in column order."""
    return [str(name)[len(PREFIX) :] for name in predictions.columns if str(name).startswith(PREFIX)]


def is_multilabel(predictions: pd.DataFrame) -> bool:
    """Return whether predictions are of a multi-label task: exactly if they have ``t:`` columns.

    >>> is_multilabel(pd.DataFrame(columns=["object_id", "label", "split", "origin", "p:gold", "t:gold"]))
    True
    """
    return any(str(name).startswith(THRESHOLD_PREFIX) for name in predictions.columns)


def costs_of(predictions: pd.DataFrame) -> Costs | None:
    """Return the costs of mistakes, and the rule, of multi-class predictions; None where there are none.

    Raises:
        EvaluationError: They are invalid, of other classes, or not the same in every row.
    """
    if DECISION not in predictions or is_multilabel(predictions) or predictions.empty:
        return None
    texts = predictions[DECISION].unique()
    if len(texts) > 1:
        raise EvaluationError(f"The column {DECISION!r} is not the same in every row: a model has one decision rule.")
    costs = costs_from_json(texts[0])
    costs.check_classes(known_classes(predictions))
    return costs


def test_rows(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that results are computed from: those of the test split.

    Raises:
        EvaluationError: The table has no splits.
    """
    _require_columns(predictions, ["split"])
    return predictions[predictions["split"] == "test"]


def choosing_rows(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that thresholds may be chosen on: neither of the test split nor resubstitution; may be empty.

    Raises:
        EvaluationError: The table has no splits or origins.
    """
    _require_columns(predictions, ["split", "origin"])
    return predictions[(predictions["split"] != "test") & (predictions["origin"] != RESUBSTITUTION)]


def check_table(predictions: pd.DataFrame) -> None:
    """Validate a predictions table of either kind.

    Raises:
        EvaluationError: Names the column, or the first objects, and what is wrong.
    """
    _check_columns(predictions)
    _check_objects(predictions)
    _check_probabilities(predictions)
    if is_multilabel(predictions):
        _check_thresholds(predictions)
    else:
        costs_of(predictions)


def _check_columns(predictions: pd.DataFrame) -> None:
    kind = LIMITS if is_multilabel(predictions) else ()
    _require_columns(predictions, ("object_id", *TEXTS, *kind))
    repeated = predictions.columns[predictions.columns.duplicated()]
    if len(repeated):
        raise EvaluationError(f"The predictions have two columns {repeated[0]!r}: class names must be unique.")
    if not known_classes(predictions):
        raise EvaluationError("The predictions have no probabilities: add one column 'p:<class>' per class.")
    if predictions.empty:
        raise EvaluationError("The predictions are empty: predict at least one test image.")


def _require_columns(predictions: pd.DataFrame, names: Iterable[str]) -> None:
    missing = [name for name in names if name not in predictions.columns]
    if missing:
        raise EvaluationError(f"The predictions have no column {missing[0]!r}: predict again with this version.")


def _check_objects(predictions: pd.DataFrame) -> None:
    ids = predictions["object_id"]
    if not pd.api.types.is_integer_dtype(ids):
        raise EvaluationError(f"The predictions' object_id is {ids.dtype}, not integer: use the museum's ids.")
    if ids.duplicated().any():
        raise EvaluationError(
            f"The predictions have several rows for object {_first_ids(ids[ids.duplicated()])}: keep one per object."
        )
    unlabelled = ~predictions["label"].map(lambda name: isinstance(name, str)).to_numpy(dtype=bool)
    if unlabelled.any():
        raise EvaluationError(f"The predictions have no label (a str) for object {_first_ids(ids[unlabelled])}.")
    _check_splits(predictions)


def _check_splits(predictions: pd.DataFrame) -> None:
    ids = predictions["object_id"]
    for name, values in (("split", SPLITS), ("origin", ORIGINS)):
        other = ~predictions[name].isin(values)
        if other.any():
            raise EvaluationError(
                f"The predictions' {name} is {predictions.loc[other, name].iloc[0]!r} for object "
                f"{_first_ids(ids[other])}: use {', '.join(values)}."
            )
    seen = (predictions["split"] == "test") & (predictions["origin"] != HELD_OUT)
    if seen.any():
        raise EvaluationError(
            f"The model was trained on test images: the origin is not {HELD_OUT!r} for object "
            f"{_first_ids(ids[seen])}. Train it on the other splits only."
        )


def _check_probabilities(predictions: pd.DataFrame) -> None:
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
    if off.any() and not is_multilabel(predictions):
        raise EvaluationError(
            f"Probabilities do not sum to 1 for object {_first_ids(ids[off])} (the sum of the first is "
            f"{values[off][0].sum():.6g}): give probabilities, not scores; or thresholds, if the task is multi-label."
        )


def _check_thresholds(predictions: pd.DataFrame) -> None:
    """Check the columns of a multi-label table: a threshold for each class, the same in each row, and the limits."""
    names, classes = [str(name) for name in predictions.columns], known_classes(predictions)
    given = {name.removeprefix(THRESHOLD_PREFIX) for name in names if name.startswith(THRESHOLD_PREFIX)}
    if other := sorted(given ^ set(classes)):
        raise EvaluationError(
            f"The thresholds are for other labels than the probabilities: {', '.join(other[:_LISTED])}. Choose them "
            "again."
        )
    if joined := [name for name in classes if SEPARATOR in name]:
        raise EvaluationError(f"The label {joined[0]!r} contains {SEPARATOR!r}, which separates labels: rename it.")
    constants = predictions[[*threshold_columns(classes), *LIMITS, *({DECISION} & set(predictions))]]
    varying = constants.columns[(constants != constants.iloc[0]).any()]
    if len(varying):
        raise EvaluationError(f"The column {varying[0]!r} is not the same in every row: a model has one threshold.")
    first = constants.iloc[0]
    values, (least, most) = first[threshold_columns(classes)].to_numpy(np.float64), first[list(LIMITS)]
    if np.any((values < 0) | (values > 1)):
        raise EvaluationError("Thresholds are outside 0..1: they are compared with probabilities.")
    if not 0 <= least <= most:
        raise EvaluationError(f"The numbers of labels per image are {least:g} to {most:g}: give 0 <= least <= most.")
    if (decision := first.get(DECISION, DECISIONS[0])) not in DECISIONS:
        raise EvaluationError(f"The predictions' decision is {decision!r}: use {' or '.join(DECISIONS)}.")


def _first_ids(ids: "pd.Series[int]") -> str:
    """List the first few ids, and how many more there are."""
    shown = ", ".join(str(value) for value in ids.iloc[:_LISTED])
    return shown if len(ids) <= _LISTED else f"{shown} and {len(ids) - _LISTED} more"
