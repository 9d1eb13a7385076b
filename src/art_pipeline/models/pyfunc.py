"""A trained model in MLflow's ``pyfunc`` format: image files in, labels and probabilities out.

MLflow calls `_load_pyfunc`.
"""

import base64
import binascii
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from art_pipeline.common.arrays import Floats
from art_pipeline.errors import ModelError
from art_pipeline.evaluation.acceptance import Thresholds, accepted, insert_accepted
from art_pipeline.images.decoding import ImageError
from art_pipeline.images.standardize import decode_rgb, encode_jpeg
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.decided import costs_of_model
from art_pipeline.models.registry import load_classifier, uses_keras
from art_pipeline.models.shared_batches import Probabilities, SharedBatches, one_per_core
from art_pipeline.models.targets import predicted_labels

log = logging.getLogger(__name__)

MAX_PIXELS = 1e8  # above, an image counts as a decompression bomb
MAX_LOGGED = 10
EXAMPLE_SIDE = 64  # pixels
WARMING = 2  # predictions of a loaded model
FORMAT = 1  # of the configuration that is stored with a model
IN_SERVER = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"  # an environment variable that MLflow's server sets


class ImageClassifier:
    """A `Classifier` of image files. Thread-safe.

    Args:
        classifier: A trained model.
        thresholds: Thresholds of accepted predictions; None if the model is not evaluated.
        share_batches: Whether concurrent calls share batches, which pays for networks.
    """

    def __init__(self, classifier: Classifier, thresholds: Thresholds | None = None, share_batches: bool = False):
        self._classifier, self._thresholds = classifier, thresholds
        share = SharedBatches if share_batches else one_per_core
        self._probabilities: Probabilities = share(classifier.probabilities)

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Predict the class or the labels of each image.

        A row without a usable image has a status and no prediction.

        Args:
            model_input: Column ``image``: the bytes of an image file in any format that Pillow reads, or these bytes
                as base64 text. Images are preprocessed as the training images were.
            params: Not used; part of MLflow's interface.

        Returns:
            A row per row of ``model_input``, with its index:

            - ``status`` (str): ``ok``, ``not_bytes``, ``not_base64``, or the status of an `ImageError`, such as
              ``truncated``;
            - ``label`` (str): the most probable class, or by the model's decision rule the one with the least expected
              cost; of a multi-label model, all labels whose probability reaches their threshold, joined by ``|``, and
              ``""`` for none of them; None without a prediction;
            - ``probability`` (float64): the probability of that class, from 0 to 1; NaN without a prediction. A
              multi-label model has no such column;
            - ``expected_cost`` (float64): that of the class; only of a model that predicts by it;
            - ``accepted``: whether the probability, or the expected cost, reaches the model's threshold of selective
              classification; of a multi-label model, the labels that reach theirs, joined by ``|``. None without a
              prediction, and for a model that is not evaluated;
            - ``p:<class>`` (float64): the probability of each class; NaN without a prediction.

            In MLflow's server, None stands for NaN, which JSON does not have.

        Raises:
            ModelError: There is no column ``image``.
        """
        if "image" not in model_input:
            raise ModelError(
                "Give a column 'image' with the bytes of image files; the columns are: "
                f"{', '.join(map(str, model_input))}."
            )
        table = _predict(self._classifier, self._probabilities, model_input["image"])
        insert_accepted(table, _or_none(accepted(table, self._thresholds)))
        _log_failures(table["status"].to_numpy())
        if os.environ.get(IN_SERVER):
            table = table.apply(_or_none)
        return table.set_index(model_input.index)


def predict_bodies(classifier: Classifier, bodies: Iterable[object]) -> pd.DataFrame:
    """Predict the class of each image file; the columns are those of `ImageClassifier.predict`, without ``accepted``.

    Args:
        classifier: A trained model.
        bodies: The bytes of n image files.

    Returns:
        n rows, with index from 0.
    """
    return _predict(classifier, classifier.probabilities, bodies)


def _predict(classifier: Classifier, probabilities_of: Probabilities, bodies: Iterable[object]) -> pd.DataFrame:
    read = [_read(body, classifier.max_side) for body in bodies]
    statuses = np.array([status for status, _ in read], object)
    images = [pixels for _, pixels in read if pixels is not None]
    probabilities = np.full((len(read), len(classifier.classes)), np.nan)
    if images:
        probabilities[statuses == "ok"] = probabilities_of(images)
    table = _tabulate(classifier, probabilities, statuses == "ok")
    table.insert(0, "status", statuses)
    return table


def _read(body: object, max_side: int) -> tuple[str, NDArray[np.uint8] | None]:
    """Return the status of an image file and its pixels, if it can be decoded."""
    if isinstance(body, str):
        try:
            body = base64.b64decode("".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            return "not_base64", None
    if not isinstance(body, bytes | bytearray | memoryview):
        return "not_bytes", None
    try:
        return "ok", decode_rgb(bytes(body), max_side, MAX_PIXELS)
    except ImageError as error:
        return error.status, None


def _tabulate(classifier: Classifier, probabilities: Floats, usable: NDArray[np.bool_]) -> pd.DataFrame:
    """Return label and probabilities of usable rows, and missing values for the others."""
    labels, costs = np.full(len(usable), None, object), costs_of_model(classifier)
    if usable.any():
        labels[usable] = predicted_labels(probabilities[usable], classifier.classes, costs or classifier.thresholds)
    table = pd.DataFrame(probabilities, columns=[f"p:{name}" for name in classifier.classes])
    table.insert(0, "label", labels)
    if classifier.thresholds is None:
        each = _of_labels(probabilities, labels, classifier.classes)
        table.insert(1, "probability", each)
    if costs:
        expected = costs.of(classifier.classes).expected(probabilities)
        table.insert(2, "expected_cost", _of_labels(expected, labels, classifier.classes))
    return table


def _of_labels(values: Floats, labels: NDArray[np.object_], classes: Sequence[str]) -> Floats:
    """Return the value of each row's label, (n,), of (n, classes) values; NaN without one."""
    position = {name: at for at, name in enumerate(classes)}
    found = [row[position[name]] if name in position else np.nan for row, name in zip(values, labels, strict=True)]
    return np.array(found, np.float64)


def _or_none(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column with None for missing values."""
    values = column.astype(object)
    values[column.isna()] = None
    return values


def probability_columns(classes: Iterable[str], multilabel: bool) -> list[str]:
    """Return the names of the columns of `ImageClassifier.predict` that hold probabilities."""
    return [*([] if multilabel else ["probability"]), *(f"p:{name}" for name in classes)]


def _log_failures(statuses: NDArray[np.object_]) -> None:
    failed = np.flatnonzero(statuses != "ok")
    if len(failed):
        named = ", ".join(f"row {row} {statuses[row]}" for row in failed[:MAX_LOGGED])
        more = ", …" if len(failed) > MAX_LOGGED else ""
        log.warning("%d of %d rows of 'image' have no prediction: %s%s.", len(failed), len(statuses), named, more)


def serving_config(thresholds: Thresholds | None) -> dict[str, Any]:
    """Return the configuration that MLflow stores with a model, and gives to `_load_pyfunc`."""
    return {"format": FORMAT, "acceptance": thresholds.to_config() if thresholds else None}


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> ImageClassifier:
    """Load a model, and predict an image: the first predictions compile a network and load the decoders.

    A network compares its batches in the second one: see `art_pipeline.features.networks.inference`.

    Raises:
        ModelError: The configuration has a newer format.
    """
    config = model_config or {}
    if config.get("format", FORMAT) > FORMAT:
        raise ModelError(
            f"The model was stored in format {config['format']}, and this version of art_pipeline reads {FORMAT}. Use "
            "the version that stored it."
        )
    stored = config.get("acceptance")
    thresholds = Thresholds.from_config(stored) if stored else None
    model = ImageClassifier(load_classifier(Path(path)), thresholds, share_batches=uses_keras(Path(path)))
    grey = Image.new("RGB", (EXAMPLE_SIDE, EXAMPLE_SIDE), "grey")
    for _ in range(WARMING):
        model.predict(pd.DataFrame({"image": [encode_jpeg(grey)]}))
    return model
