"""Models and their predictions."""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from django.db.models import Avg, FloatField
from django.db.models.functions import Cast

from art_pipeline.common.batches import batched
from art_pipeline.common.progress import progress
from art_pipeline.errors import WebError
from art_pipeline.evaluation.prediction_table import RESUBSTITUTION
from art_pipeline.web.catalogue.importing.labels import names_of, write_terms
from art_pipeline.web.catalogue.importing.names import shortened
from art_pipeline.web.catalogue.importing.rows import BATCH, Rows, delete, in_transaction, sync
from art_pipeline.web.catalogue.model_result import ModelResult
from art_pipeline.web.catalogue.models import Prediction, Split, TrainedModel, Vocabulary
from art_pipeline.web.catalogue.scores import review_scores

SHOWN_PROBABILITIES = 10
CURVE_POINTS = 200
KEY = ("model_id", "artwork_id")
FIELDS = (
    "split",
    "origin",
    "term_id",
    "labels",
    "probability",
    "second_id",
    "second_probability",
    "accepted",
    "is_correct",
    "probabilities",
    "doubt",
    "label_error",
)


def write_model(result: ModelResult, keys: Mapping[int, int]) -> None:
    """Write a model and its predictions. A model that was trained again replaces the former when it is complete.

    Args:
        result: The model.
        keys: The row of the artwork of each ``object_id``.

    Raises:
        WebError: The database lacks the model's task.
    """
    model = in_transaction(lambda: _write_model(result))
    terms = in_transaction(lambda: write_terms(model.vocabulary, map(shortened, result.classes)))
    table = result.predictions.set_index("object_id", drop=False)
    batches = list(batched(keys.items(), BATCH))
    for batch in progress(batches, total=len(batches), what=f"batches of {BATCH:,} predictions of {result.name}"):
        in_transaction(partial(_write_batch, model, result, table, terms, dict(batch)))
    in_transaction(lambda: make_current(model))


def remove_former() -> None:
    """Delete the predictions of models that are not current, a transaction per batch; decisions keep what they saw."""
    former = Prediction.objects.filter(model__is_current=False).order_by().values_list("pk", flat=True)
    while keys := list(former[:BATCH]):
        in_transaction(partial(delete, Prediction, keys))


def _write_model(result: ModelResult) -> TrainedModel:
    vocabulary = Vocabulary.objects.filter(name=result.task).first()
    if vocabulary is None:
        raise WebError(
            f"The web page has no task {result.task!r}, which {result.name} predicts. Import a run with this task "
            "first: kedro web import."
        )
    values = {
        "vocabulary": vocabulary,
        "kind": result.kind,
        "commit": result.commit,
        "address": result.address,
        "data": result.data,
        "metrics": dict(result.metrics),
        "thresholds": dict(result.thresholds),
        "classes": result.classes,
        "card": result.card,
    }
    model, _ = TrainedModel.objects.update_or_create(
        name=result.name, record=result.record, defaults=values, create_defaults=values | {"is_current": False}
    )
    return model


def make_current(model: TrainedModel) -> None:
    """Show a model in place of its former ones, with what pages show of its predictions."""
    TrainedModel.objects.filter(name=model.name).exclude(pk=model.pk).update(is_current=False)
    rows = model.predictions.filter(is_correct__isnull=False).exclude(origin=RESUBSTITUTION).order_by()
    validation = rows.filter(split=Split.VALIDATION).aggregate(accuracy=Avg(Cast("is_correct", FloatField())))
    values = {"curve": _coverage_risk(model), "validation_accuracy": validation["accuracy"]}
    TrainedModel.objects.filter(pk=model.pk).update(is_current=True, **values)


def _coverage_risk(model: TrainedModel) -> list[list[float]]:
    """Return at most `CURVE_POINTS` points; see `TrainedModel`."""
    found = model.predictions.filter(split=Split.TEST, is_correct__isnull=False)
    rows = list(found.order_by("-probability", "artwork").values_list("probability", "is_correct"))
    if not rows:
        return []
    probability, correct = np.array(rows, float).T
    count = np.arange(1, len(rows) + 1)
    risk = np.cumsum(1 - correct) / count
    shown = np.unique(np.linspace(0, len(rows) - 1, min(CURVE_POINTS, len(rows))).astype(int))
    points: list[list[float]] = np.stack([count / len(rows), risk, probability], axis=1)[shown].tolist()
    return points


def _write_batch(
    model: TrainedModel, result: ModelResult, table: pd.DataFrame, terms: Mapping[str, int], keys: Mapping[int, int]
) -> int:
    rows = table[table.index.isin(list(keys))]
    scope = model.predictions.filter(artwork_id__in=list(keys.values()))
    return sync(scope, KEY, FIELDS, _wanted(model, result, rows, terms, keys))


def _wanted(
    model: TrainedModel, result: ModelResult, rows: pd.DataFrame, terms: Mapping[str, int], keys: Mapping[int, int]
) -> Rows:
    classes = np.array(result.classes, object)
    values = result.probabilities_of(rows)
    chosen, costs = result.chosen_labels(rows), result.expected_costs(rows)
    order = _ranked(values, classes, [None if model.vocabulary.is_multilabel else one for one in chosen])
    best = np.take_along_axis(values, order, axis=1).round(6).tolist()
    decided = zip(chosen, costs, strict=True)
    found = zip(rows.to_dict("records"), classes[order].tolist(), best, decided, review_scores(rows), strict=True)
    return {
        (model.pk, keys[row["object_id"]]): (*_values(model, row, names, numbers, one, terms), *scores)
        for row, names, numbers, one, scores in found
    }


def _ranked(values: np.ndarray, classes: np.ndarray, predicted: Sequence[list[str] | None]) -> np.ndarray:
    """Return the positions of the predicted class of each row, if it is given, and of the most probable others."""
    first = np.array([classes.tolist().index(one[0]) if one else -1 for one in predicted])
    ahead = np.where(np.arange(values.shape[1]) == first[:, None], 2.0, values)
    return np.argsort(-ahead, axis=1, kind="stable")[:, :SHOWN_PROBABILITIES]


def _values(
    model: TrainedModel,
    row: Mapping[Hashable, Any],
    names: Sequence[str],
    numbers: Sequence[float],
    decided: tuple[Sequence[str] | None, float | None],
    terms: Mapping[str, int],
) -> tuple[object, ...]:
    chosen, cost = decided
    labels = list(chosen) if chosen is not None else [names[0]]
    recorded = names_of(row["label"], several=model.vocabulary.is_multilabel)
    has_second = len(names) > 1
    return (
        row["split"],
        row["origin"],
        terms[shortened(names[0])],
        labels,
        numbers[0],
        terms[shortened(names[1])] if has_second else None,
        numbers[1] if has_second else None,
        _accepted(model.thresholds, names[0], numbers[0], cost),
        set(map(shortened, labels)) == set(recorded),
        dict(zip(names, numbers, strict=True)),
    )


def _accepted(thresholds: Mapping[str, Any], label: str, probability: float, cost: float | None) -> bool | None:
    if not thresholds:
        return None
    threshold = thresholds["classes"].get(label, thresholds["overall"])
    if threshold is None:
        return False
    return round(cost or 0.0, 6) <= threshold if thresholds.get("by_cost") else probability >= threshold
