"""A trained model with its predictions and results, as files of a run or of MLflow."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.evaluation.acceptance import Thresholds
from art_pipeline.evaluation.costs import Costs
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.evaluation.prediction_rows import label_thresholds
from art_pipeline.evaluation.prediction_table import PREFIX, costs_of, is_multilabel, known_classes
from art_pipeline.lineage.digest import digest_file
from art_pipeline.lineage.params_file import recorded_parameters
from art_pipeline.lineage.record import MODEL_CARD, Record
from art_pipeline.lineage.task import task_of
from art_pipeline.models.classifier import read_metadata

PREDICTIONS, METRICS, SELECTIVE = "predictions.parquet", "metrics.json", "selective.csv"


@dataclass(frozen=True)
class ModelFiles:
    """Where the files of a model are.

    Attributes:
        name: The model's name.
        model: Its folder.
        results: Folder of ``metrics.json``, ``selective.csv`` and the model card.
        record: File of the lineage record.
        predictions: File of the predictions table (`art_pipeline.evaluation.predictions`).
        address: From where it can be loaded: its folder, relative to the data folder, or an address of MLflow.
        data: Name of the data folder.
    """

    name: str
    model: Path
    results: Path
    record: Path
    predictions: Path
    address: str
    data: str

    def is_complete(self) -> bool:
        """Return whether it has been evaluated, and has a record."""
        return all(file.exists() for file in (self.predictions, self.results / METRICS, self.record))

    @cached_property
    def lineage(self) -> Record:
        """Its lineage record."""
        return Record.read(self.record)

    @property
    def task(self) -> str:
        """Name of its task."""
        return task_of(self.lineage)

    def digest(self) -> str:
        """Return a digest of all that is imported of it."""
        files = [self.record, self.predictions, self.results / METRICS, self.results / SELECTIVE]
        files.append(self.results / MODEL_CARD)
        parts = [self.address, *(digest_file(file) for file in files if file.exists())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def read(self) -> "ModelResult":
        """Read the files."""
        return ModelResult(
            name=self.name,
            task=self.task,
            kind=read_metadata(self.model)["kind"],
            record=hashlib.sha256(self.record.read_bytes()).hexdigest(),
            commit=self.lineage.source.commit or "",
            address=self.address,
            data=self.data,
            metrics=json.loads((self.results / METRICS).read_text(encoding="utf-8")),
            thresholds=_thresholds(self.results / SELECTIVE, self.lineage),
            predictions=pd.read_parquet(self.predictions),
            card=_text(self.results / MODEL_CARD),
        )


@dataclass(frozen=True)
class ModelResult:
    """A model with its predictions.

    Attributes:
        record: Digest of the lineage record.
        thresholds: Lowest accepted probabilities, with the accuracy that they were chosen for:
            ``{"overall": …, "classes": {…}, "target": …}``; with ``"by_cost": True``, highest expected costs and the
            mean cost. Empty for none.
        predictions: The predictions table.
        card: The model card, Markdown; empty without one.
    """

    name: str
    task: str
    kind: str
    record: str
    commit: str
    address: str
    data: str
    metrics: Mapping[str, Any]
    thresholds: Mapping[str, Any]
    predictions: pd.DataFrame
    card: str = ""

    @property
    def classes(self) -> list[str]:
        """The classes that it predicts."""
        return known_classes(self.predictions)

    def probabilities_of(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the (n, classes) float64 probabilities of some rows."""
        return rows[[f"{PREFIX}{name}" for name in self.classes]].to_numpy(np.float64)

    def chosen_labels(self, rows: pd.DataFrame) -> Sequence[list[str] | None]:
        """Return the predicted labels of some rows; None each for a model that predicts the most probable class."""
        names, values = np.array(self.classes, object), self.probabilities_of(rows)
        if is_multilabel(self.predictions):
            thresholds = self._label_thresholds
            order = [self.classes.index(name) for name in thresholds.labels]
            return [names[order][one].tolist() for one in thresholds.apply(values[:, order], thresholds.labels)]
        if (costs := self._costs) is None:
            return [None] * len(rows)
        return [[str(name)] for name in names[costs.predict(values)]]

    @cached_property
    def _label_thresholds(self) -> LabelThresholds:
        return label_thresholds(self.predictions)

    @cached_property
    def _costs(self) -> Costs | None:
        """The costs by which the class is predicted; None where it is the most probable one."""
        costs = costs_of(self.predictions)
        return costs.of(self.classes) if costs and costs.rule == "least_cost" else None

    def expected_costs(self, rows: pd.DataFrame) -> Sequence[float | None]:
        """Return the expected cost of each prediction; None each for a model that does not predict by it."""
        if (costs := self._costs) is None:
            return [None] * len(rows)
        expected = costs.expected(self.probabilities_of(rows))
        return np.take_along_axis(expected, costs.predict(self.probabilities_of(rows))[:, None], axis=1)[:, 0].tolist()


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _thresholds(file: Path, record: Record) -> dict[str, Any]:
    """Return the thresholds of selective classification; a class without one of its own is left out."""
    found = Thresholds.read(file)
    if found is None:
        return {}
    classes = {name: value for name, value in found.of_class.items() if not np.isnan(value)}
    target = recorded_parameters(record).get(f"evaluate.target_{'cost' if found.by_cost else 'accuracy'}")
    overall = None if np.isnan(found.overall) else found.overall
    return {"overall": overall, "classes": classes, "target": target} | ({"by_cost": True} if found.by_cost else {})
