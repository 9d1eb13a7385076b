"""A trained model as MLflow's ``pyfunc`` loads it: pictures in, labels with probabilities out.

MLflow calls `_load_pyfunc`; nothing here knows MLflow.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.errors import ModelError
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.registry import load_classifier
from art_pipeline.vision.imaging import decode_rgb, inspect_picture

MAX_PIXELS = 1e8  # a decompression bomb, whatever the museum's pictures were allowed


class PictureClassifier:
    """Wraps a `Classifier` so that it takes picture files as they are."""

    def __init__(self, classifier: Classifier):
        self._classifier = classifier

    def predict(self, model_input: pd.DataFrame, params: dict | None = None) -> pd.DataFrame:  # noqa: ARG002 - MLflow's
        """Judge pictures.

        Args:
            model_input: Column ``image``: the bytes of a picture file, of any format that
                Pillow reads. Each goes the whole way that the training pictures went.
            params: None are known.

        Returns:
            A row per picture: ``label`` (str), ``probability`` (of that label), and the
            probability of each class in a column ``p:<class>``.

        Raises:
            ModelError: There is no column ``image``, or a row of it holds no readable
                picture; names the row and the reason.
        """
        if "image" not in model_input:
            raise ModelError(f"Give a column 'image' of picture files' bytes; there are: {', '.join(model_input)}.")
        pictures = [self._pixels(row, body) for row, body in enumerate(model_input["image"])]
        columns = probability_columns(self._classifier.classes)
        probabilities = self._classifier.probabilities(pictures) if pictures else np.empty((0, len(columns)))
        table = pd.DataFrame(probabilities, columns=columns, index=model_input.index)
        best = probabilities.argmax(axis=1)
        table.insert(0, "label", np.array(self._classifier.classes, object)[best])
        table.insert(1, "probability", probabilities.max(axis=1))
        return table

    def _pixels(self, row: int, body: bytes) -> np.ndarray:
        if not isinstance(body, bytes):
            raise ModelError(f"Row {row} of 'image' is {type(body).__name__}, not the bytes of a picture file.")
        found = inspect_picture(body, max_pixels=MAX_PIXELS)
        if found.status != "ok":
            raise ModelError(f"Row {row} of 'image' holds no usable picture: {found.status.replace('_', ' ')}.")
        return decode_rgb(body, self._classifier.max_side)


def probability_columns(classes: Iterable[str]) -> list[str]:
    """Names of the columns of probabilities, ``p:<class>``, which no other column can have."""
    return [f"p:{name}" for name in classes]


def _load_pyfunc(path: str) -> PictureClassifier:
    return PictureClassifier(load_classifier(Path(path)))
