"""A trained model as MLflow's ``pyfunc`` loads it: image files in, labels with probabilities out.

MLflow calls `_load_pyfunc`; nothing here knows MLflow.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.errors import ModelError
from art_pipeline.images.decoding import ImageError
from art_pipeline.images.standardize import decode_rgb
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.registry import load_classifier

log = logging.getLogger(__name__)

MAX_PIXELS = 1e8  # a decompression bomb, whatever the museum's images were allowed
MOST_NAMED = 10
EXAMPLE = 64  # pixels


class ImageClassifier:
    """Wraps a `Classifier` so that it takes image files as they are."""

    def __init__(self, classifier: Classifier):
        self._classifier = classifier

    def predict(self, model_input: pd.DataFrame, params: dict | None = None) -> pd.DataFrame:  # noqa: ARG002 - MLflow's
        """Predict the class of each image.

        A row that holds no usable image has no prediction, and costs the others nothing.

        Args:
            model_input: Column ``image``: the bytes of an image file, of any format that
                Pillow reads. Each is prepared exactly as the training images were.
            params: None are known.

        Returns:
            A row per row of ``model_input``, with its index:

            - ``status`` (str): ``ok``, or why there is no prediction: ``not_bytes``, or
              that of an `ImageError`, such as ``truncated``;
            - ``label`` (str): the most probable class; None without a prediction;
            - ``probability`` (float64): of that class, 0 to 1; NaN without a prediction;
            - ``p:<class>`` (float64): of each class, likewise.

        Raises:
            ModelError: There is no column ``image``.
        """
        if "image" not in model_input:
            raise ModelError(f"Give a column 'image' of image files' bytes; there are: {', '.join(model_input)}.")
        table = predict_bodies(self._classifier, model_input["image"])
        _log_failures(table["status"].to_numpy())
        return table.set_index(model_input.index)


def predict_bodies(classifier: Classifier, bodies: Iterable[object]) -> pd.DataFrame:
    """Predict the class of each image file; the columns are those of `ImageClassifier.predict`.

    Args:
        classifier: A trained model.
        bodies: The bytes of n image files.

    Returns:
        n rows, numbered from 0.
    """
    read = [_read(body, classifier.max_side) for body in bodies]
    statuses = np.array([status for status, _ in read], object)
    images = [pixels for _, pixels in read if pixels is not None]
    table = _tabulate(classifier, images, statuses == "ok")
    table.insert(0, "status", statuses)
    return table


def _read(body: object, max_side: int) -> tuple[str, np.ndarray | None]:
    """Status and pixels of one row; None for pixels that cannot be had."""
    if not isinstance(body, bytes | bytearray | memoryview):
        return "not_bytes", None
    try:
        return "ok", decode_rgb(bytes(body), max_side, MAX_PIXELS)
    except ImageError as error:
        return error.status, None


def _tabulate(classifier: Classifier, images: Sequence[np.ndarray], usable: np.ndarray) -> pd.DataFrame:
    """Predictions of the usable rows, and empty ones of the others."""
    classes = np.array(classifier.classes, object)
    probabilities = np.full((len(usable), len(classes)), np.nan)
    labels = np.full(len(usable), None, object)
    if images:
        probabilities[usable] = classifier.probabilities(images)
        labels[usable] = classes[probabilities[usable].argmax(axis=1)]
    table = pd.DataFrame(probabilities, columns=probability_columns(classes))
    table.insert(0, "label", labels)
    table.insert(1, "probability", probabilities.max(axis=1))
    return table


def probability_columns(classes: Iterable[str]) -> list[str]:
    """Names of the columns of probabilities, ``p:<class>``, which no other column can have."""
    return [f"p:{name}" for name in classes]


def _log_failures(statuses: np.ndarray) -> None:
    failed = np.flatnonzero(statuses != "ok")
    if len(failed):
        named = ", ".join(f"row {row} {statuses[row]}" for row in failed[:MOST_NAMED])
        more = ", …" if len(failed) > MOST_NAMED else ""
        log.warning("%d of %d rows of 'image' have no prediction: %s%s.", len(failed), len(statuses), named, more)


def _load_pyfunc(path: str) -> ImageClassifier:
    classifier = load_classifier(Path(path))
    classifier.probabilities([np.zeros((EXAMPLE, EXAMPLE, 3), np.uint8)])  # what the first call loads and compiles
    return ImageClassifier(classifier)
