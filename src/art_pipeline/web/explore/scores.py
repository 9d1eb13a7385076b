"""How good the models of a task are: metrics with intervals, classes, confusions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from art_pipeline.evaluation.kinds import kind_of_metrics
from art_pipeline.evaluation.report.measures import MEASURES, Measure
from art_pipeline.web.catalogue.facet_index import FacetIndex
from art_pipeline.web.catalogue.models import Split, TrainedModel
from art_pipeline.web.explore.labels import filter_address

TEST = str(Split.TEST)


@dataclass(frozen=True)
class Score:
    """A metric of a model, with its 95% interval where there is one."""

    measure: Measure
    value: float | None
    low: float | None
    high: float | None
    is_best: bool = False


@dataclass(frozen=True)
class ClassScore:
    """How well a class is predicted on the test split.

    Attributes:
        support: Number of artworks of the class.
        predicted: Number of artworks predicted as it.
        correct: Number of both.
    """

    name: str
    support: int
    predicted: int
    correct: int
    addresses: dict[str, str]

    @property
    def precision(self) -> float | None:
        """Share of the predicted ones that belong to the class."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Share of the artworks of the class that are predicted as it."""
        return self.correct / self.support if self.support else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both."""
        total = self.support + self.predicted
        return 2 * self.correct / total if total else None


def score_table(models: Sequence[TrainedModel]) -> list[tuple[TrainedModel, list[Score]]]:
    """Return the main metrics of the models of one task, best model first."""
    kind = kind_of_metrics(models[0].metrics)
    measures = [one for one in MEASURES[kind] if any(one.key in model.metrics for model in models) and one.headline]
    best = {one.key: _best(one, models) for one in measures}
    rows = [(model, [_score(one, model, best[one.key]) for one in measures]) for model in models]
    return sorted(rows, key=lambda row: -(row[1][0].value or 0)) if measures else rows


def scores_of(model: TrainedModel) -> list[Score]:
    """Return all metrics of a model."""
    measures = MEASURES[kind_of_metrics(model.metrics)]
    return [_score(one, model, None) for one in measures if one.key in model.metrics]


def selective(index: FacetIndex, model: TrainedModel) -> dict[str, Any] | None:
    """Return coverage and risk of the accepted predictions of the test split; None without thresholds."""
    task = model.vocabulary.name
    test = _mask(index, f"split.{task}", TEST)
    accepted = _mask(index, f"accepted.{model.name}", "yes")
    decided = test & (accepted | _mask(index, f"accepted.{model.name}", "no"))
    n, kept = int(decided.sum()), int((decided & accepted).sum())
    if not n:
        return None
    wrong = int((decided & accepted & _mask(index, f"correct.{model.name}", "no")).sum())
    chosen = {f"split.{task}": TEST, f"accepted.{model.name}": "yes"}
    return {
        "n": n,
        "accepted": kept,
        "coverage": kept / n,
        "wrong": wrong,
        "risk": wrong / kept if kept else None,
        "risk_percent": round(100 * wrong / kept, 1) if kept else None,
        "threshold": model.thresholds.get("overall"),
        "by_cost": bool(model.thresholds.get("by_cost")),
        "accepted_address": filter_address(**chosen),
        "expert_address": filter_address(**{**chosen, f"accepted.{model.name}": "no"}),
        "wrong_address": filter_address(**chosen, **{f"correct.{model.name}": "no"}),
    }


def class_scores(index: FacetIndex, model: TrainedModel) -> list[ClassScore]:
    """Return how well each class is predicted on the test split."""
    task, predicted = model.vocabulary.name, f"predicted.{model.name}"
    test = _mask(index, f"split.{task}", TEST)
    rows = []
    for name in model.classes:
        true, guessed = test & _mask(index, task, name), test & _mask(index, predicted, name)
        support, count, correct = (int(one.sum()) for one in (true, guessed, true & guessed))
        addresses = {
            "support": _test_address(task, **{task: name}),
            "predicted": _test_address(task, **{predicted: name}),
        }
        rows.append(ClassScore(name, support, count, correct, addresses))
    return rows


def confusion(index: FacetIndex, model: TrainedModel) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return true class and cells of each row: number, share of the row, and the address of its artworks."""
    task, facet = model.vocabulary.name, f"predicted.{model.name}"
    test, predicted = _mask(index, f"split.{task}", TEST), index.values(facet)
    rows = []
    for true in model.classes:
        counts = dict(zip(predicted.names, predicted.counts_within(test & _mask(index, task, true)), strict=True))
        total = max(1, sum(counts.values()))
        cells = [(name, int(counts.get(name, 0))) for name in model.classes]
        rows.append((true, [_cell(task, facet, true, name, n, n / total) for name, n in cells]))
    return rows


def _score(measure: Measure, model: TrainedModel, best: float | None) -> Score:
    value = model.metrics.get(measure.key)
    interval = model.metrics.get("interval_95", {}).get(measure.key, {})
    return Score(measure, value, interval.get("low"), interval.get("high"), value is not None and value == best)


def _best(measure: Measure, models: Sequence[TrainedModel]) -> float | None:
    values = [model.metrics[measure.key] for model in models if model.metrics.get(measure.key) is not None]
    if len(values) < 2:  # noqa: PLR2004
        return None
    return max(values) if measure.best == "max" else min(values)


def _cell(task: str, facet: str, true: str, predicted: str, count: int, share: float) -> dict[str, Any]:
    level = 0 if not count else min(4, 1 + int(share * 4))
    return {
        "name": predicted,
        "count": count,
        "kind": "right" if true == predicted else "wrong",
        "level": level,
        "address": _test_address(task, **{task: true, facet: predicted}) if count else "",
    }


def _test_address(task: str, **chosen: str) -> str:
    return filter_address(**chosen, **{f"split.{task}": TEST})


def _mask(index: FacetIndex, name: str, value: str) -> np.ndarray:
    return index.mask(index.values(name).ids(value))
