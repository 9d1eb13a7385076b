"""Trained models that predict, loaded once per process: by workers only, as a network needs TensorFlow."""

import hashlib
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.errors import LineageError, ModelError
from art_pipeline.evaluation.acceptance import Thresholds
from art_pipeline.lineage.record import Record, record_file
from art_pipeline.models.classifier import Classifier
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.web.catalogue.models import TrainedModel

MLFLOW = "models:/"


@dataclass(frozen=True)
class Predicted:
    """What a model predicts for an image.

    Attributes:
        labels: The predicted class; the labels of a multi-label model, any number.
        probabilities: Calibrated probability of each class: of the predicted one, and then the most probable first.
        threshold: Lowest accepted probability of the first label, or highest accepted expected cost; None where none is
            accepted.
        accepted: Whether it reaches the threshold; None where the model has no thresholds.
        expected_cost: Expected cost of the predicted class; None unless the model predicts by it.
    """

    labels: list[str]
    probabilities: dict[str, float]
    threshold: float | None
    accepted: bool | None
    expected_cost: float | None = None


@dataclass(frozen=True)
class Predictor:
    """A loaded model.

    Attributes:
        record: Digest of its lineage record.
        classifier: The trained model.
        thresholds: Lowest accepted probabilities; None where there are none.
    """

    record: str
    classifier: Classifier
    thresholds: Thresholds | None

    def predict(self, body: bytes) -> Predicted:
        """Predict the labels of an image file.

        Raises:
            ModelError: The file is not a usable image.
        """
        [found] = self.predict_all([body])
        if isinstance(found, ModelError):
            raise found
        return found

    def predict_all(self, bodies: Sequence[bytes]) -> list[Predicted | ModelError]:
        """Predict the labels of image files in one call of the model; an error for each file that is not usable."""
        from art_pipeline.models.pyfunc import predict_bodies

        rows = predict_bodies(self.classifier, bodies).to_dict("records") if bodies else []
        return [self.predicted(row) if row["status"] == "ok" else _unusable(row["status"]) for row in rows]

    def predicted(self, row: Mapping[Any, Any]) -> Predicted:
        """Return the prediction in a row of `art_pipeline.models.pyfunc.predict_bodies` with the status ``ok``."""
        predicted = row["label"] if self.classifier.thresholds is None else None
        names = sorted(self.classifier.classes, key=lambda name: (name != predicted, -row[f"p:{name}"]))
        probabilities = {name: round(float(row[f"p:{name}"]), 6) for name in names}
        labels = row["label"].split(SEPARATOR) if self.classifier.thresholds else [row["label"]]
        cost = round(float(row["expected_cost"]), 6) if "expected_cost" in row else None
        label = next(iter(probabilities)) if self.classifier.thresholds else labels[0]
        acceptance = self._acceptance(label, probabilities[label], cost)
        return Predicted([one for one in labels if one], probabilities, *acceptance, cost)

    def _acceptance(self, label: str, probability: float, cost: float | None) -> tuple[float | None, bool | None]:
        if self.thresholds is None:
            return None, None
        threshold = self.thresholds.of_class.get(label, self.thresholds.overall)
        value = cost if self.thresholds.by_cost and cost is not None else probability
        return None if math.isnan(threshold) else threshold, self.thresholds.accepts(label, value)


def _unusable(status: str) -> ModelError:
    return ModelError(f"The image cannot be used: {status.replace('_', ' ')}. Upload another one.")


class Predictors:
    """The models of this process. One that was trained again replaces the former when it is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Predictor] = {}
        self._loading = {False: threading.Lock(), True: threading.Lock()}  # of networks True: others need not wait

    def of(self, model: TrainedModel) -> Predictor:
        """Return a model, loaded on first use.

        Raises:
            ModelError: It is missing or damaged, or was trained again after its import.
            TrackingError: MLflow does not have it.
        """
        if found := self._current(model):
            return found
        with self._loading[is_network(model)]:
            if not (found := self._current(model)):
                found = self._loaded[model.name] = load(model)
            return found

    def _current(self, model: TrainedModel) -> Predictor | None:
        found = self._loaded.get(model.name)
        return found if found and found.record == model.record else None


PREDICTORS = Predictors()


def load(model: TrainedModel) -> Predictor:
    """Load a model, and let it predict: the first predictions compile a network and compare its batches."""
    import numpy as np

    from art_pipeline.models.pyfunc import EXAMPLE_SIDE, WARMING
    from art_pipeline.models.registry import load_classifier

    folder = model_folder(model)
    if needs_keras(folder):
        prepare_keras_once(model)
    classifier = load_classifier(folder)
    _require_current(model)
    for _ in range(WARMING):
        classifier.probabilities([np.zeros((EXAMPLE_SIDE, EXAMPLE_SIDE, 3), np.uint8)])
    return Predictor(model.record, classifier, thresholds_of(model))


def model_folder(model: TrainedModel) -> Path:
    """Return the folder of a trained model; a copy where MLflow stores it."""
    if model.address.startswith(MLFLOW):
        from art_pipeline.tracking.lookup import find_model

        return find_model(settings.PROJECT, model.address)
    return data_folder(model) / model.address


def data_folder(model: TrainedModel) -> Path:
    """Return the data folder of a model's run: ``data``, or one in it for an environment with its own data."""
    folders = (settings.PROJECT / model.data, settings.PROJECT / "data" / model.data)
    return next((one for one in folders if one.is_dir()), folders[0])


def needs_keras(folder: Path) -> bool:
    """Return whether a model or an extractor of features is a network, or contains one."""
    return any(folder.rglob("*.weights.h5"))


def is_network(model: TrainedModel) -> bool:
    """Return whether a model needs Keras; unknown, and so taken as true, of a model that MLflow stores."""
    return model.address.startswith(MLFLOW) or needs_keras(data_folder(model) / model.address)


_keras = threading.Lock()


@cache
def _prepare_keras(options: str) -> None:
    from art_pipeline.common.keras_runtime import prepare_keras

    prepare_keras(ComputeOptions.model_validate_json(options))


def prepare_keras_once(model: TrainedModel) -> None:
    """Set up Keras as the run of a model did; a process keeps one set-up."""
    with _keras:
        _prepare_keras(compute_of(model).model_dump_json())


def thresholds_of(model: TrainedModel) -> Thresholds | None:
    """Return the thresholds of selective classification of an imported model; None where there are none."""
    if not model.thresholds:
        return None
    overall = model.thresholds.get("overall")
    by_cost = bool(model.thresholds.get("by_cost"))
    return Thresholds(math.nan if overall is None else overall, dict(model.thresholds["classes"]), by_cost=by_cost)


def compute_of(model: TrainedModel) -> ComputeOptions:
    """Return the set-up of Keras in the run of a model."""
    try:
        steps = Record.read(record_file(data_folder(model), model.name)).steps.values()
    except LineageError:
        return ComputeOptions()
    found = (step.parameters["compute"] for step in steps if "compute" in step.parameters)
    return ComputeOptions.model_validate(next(found, {}))


def _require_current(model: TrainedModel) -> None:
    """Check that the folder holds the model that was imported."""
    if model.address.startswith(MLFLOW):
        return
    record = record_file(data_folder(model), model.name)
    if not record.exists() or hashlib.sha256(record.read_bytes()).hexdigest() != model.record:
        raise ModelError(f"{model.name} was trained again after its import. Import the run: kedro web import.")
