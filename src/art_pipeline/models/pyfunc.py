"""A trained model in MLflow's ``pyfunc`` format: image files in, labels and probabilities out.

MLflow calls `_load_pyfunc`.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import ModelError
from art_pipeline.images.decoding import ImageError
from art_pipeline.images.standardize import decode_rgb
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.targets import predicted_labels

log = logging.getLogger(__name__)

MAX_PIXELS = 1e8  # above, an image counts as a decompression bomb
MAX_LOGGED = 10
EXAMPLE_SIDE = 64  # pixels


class ImageClassifier:
    """A `Classifier` of image files."""

    def __init__(self, classifier: Classifier):
        self._classifier = classifier

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Predict the class or the labels of each image.

        A row without a usable image has a status and no prediction.

        Args:
            model_input: Column ``image``: the bytes of an image file in any format that Pillow reads. Images are
                preprocessed as the training images were.
            params: Not used; part of MLflow's interface.

        Returns:
            A row per row of ``model_input``, with its index:

            - ``status`` (str): ``ok``, ``not_bytes``, or the status of an `ImageError`, such as ``truncated``;
            - ``label`` (str): the most probable class; of a multi-label model, all labels whose probability reaches
              their threshold, joined by ``|``, and ``""`` for none of them; None without a prediction;
            - ``probability`` (float64): the probability of that class, from 0 to 1; NaN without a prediction. A
              multi-label model has no such column;
            - ``p:<class>`` (float64): the probability of each class; NaN without a prediction.

        Raises:
            ModelError: There is no column ``image``.
        """
        if "image" not in model_input:
            raise ModelError(
                "Give a column 'image' with the bytes of image files; the columns are: "
                f"{', '.join(map(str, model_input))}."
            )
        table = predict_bodies(self._classifier, model_input["image"])
        _log_failures(table["status"].to_numpy())
        return table.set_index(model_input.index)


def predict_bodies(classifier: Classifier, bodies: Iterable[object]) -> pd.DataFrame:
    """Predict the class of each image file; the columns are those of `ImageClassifier.predict`.

    Args:
        classifier: A trained model.
        bodies: The bytes of n image files.

    Returns:
        n rows, with index from 0.
    """
    read = [_read(body, classifier.max_side) for body in bodies]
    statuses = np.array([status for status, _ in read], object)
    images = [pixels for _, pixels in read if pixels is not None]
    table = _tabulate(classifier, images, statuses == "ok")
    table.insert(0, "status", statuses)
    return table


def _read(body: object, max_side: int) -> tuple[str, NDArray[np.uint8] | None]:
    """Return the status of an image file and its pixels, if it can be decoded."""
    if not isinstance(body, bytes | bytearray | memoryview):
        return "not_bytes", None
    try:
        return "ok", decode_rgb(bytes(body), max_side, MAX_PIXELS)
    except ImageError as error:
        return error.status, None


def _tabulate(classifier: Classifier, images: Sequence[NDArray[np.uint8]], usable: NDArray[np.bool_]) -> pd.DataFrame:
    """Return predictions for usable rows, and missing values for the others."""
    probabilities = np.full((len(usable), len(classifier.classes)), np.nan)
    labels = np.full(len(usable), None, object)
    if images:
        probabilities[usable] = classifier.probabilities(images)
        labels[usable] = predicted_labels(probabilities[usable], classifier.classes, classifier.thresholds)
    table = pd.DataFrame(probabilities, columns=[f"p:{name}" for name in classifier.classes])
    table.insert(0, "label", labels)
    if classifier.thresholds is None:
        table.insert(1, "probability", probabilities.max(axis=1))
    return table


def probability_columns(classes: Iterable[str], multilabel: bool) -> list[str]:
    """Return the names of the columns of `ImageClassifier.predict` that hold probabilities."""
    return [*([] if multilabel else ["probability"]), *(f"p:{name}" for name in classes)]


def _log_failures(statuses: NDArray[np.object_]) -> None:
    failed = np.flatnonzero(statuses != "ok")
    if len(failed):
        named = ", ".join(f"row {row} {statuses[row]}" for row in failed[:MAX_LOGGED])
        more = ", …" if len(failed) > MAX_LOGGED else ""
        log.warning("%d of %d rows of 'image' have no prediction: %s%s.", len(failed), len(statuses), named, more)


def _load_pyfunc(path: str) -> ImageClassifier:
    classifier = load_classifier(Path(path))
    classifier.probabilities([np.zeros((EXAMPLE_SIDE, EXAMPLE_SIDE, 3), np.uint8)])  # the first call compiles
    return ImageClassifier(classifier)
