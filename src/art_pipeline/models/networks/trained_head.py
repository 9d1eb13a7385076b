"""A trained head on features as a classifier. Keras is imported when it is loaded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.keras_runtime import training_precision
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.features.networks.application import names_from_zero, set_seed
from art_pipeline.features.networks.inference import in_batches
from art_pipeline.models.classifier import read_metadata, read_thresholds, thresholds_to_json, write_metadata
from art_pipeline.models.features import StoredExtractors
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.networks.network import HEAD, HISTORY, activation_of, load_head, read_history
from art_pipeline.models.networks.temperature import temper

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class TrainedHead:
    """A trained head, and the extractors of its features; a `Classifier`.

    Attributes:
        classes: Class labels, in the order of the probabilities' columns.
        max_side: Longest side, in pixels, of the training images.
        options: Options of the model.
        extractors: Extractors of the features.
        head: Features to probabilities.
        training: As in `art_pipeline.models.networks.network.Network`.
        history: Likewise.
        thresholds: Thresholds of a multi-label task; None for a multi-class task.
    """

    classes: tuple[str, ...]
    max_side: int
    options: HeadOptions
    extractors: StoredExtractors
    head: "keras.Model"
    training: Mapping[str, Any]
    history: pd.DataFrame
    thresholds: LabelThresholds | None = None

    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return the (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images."""
        parts = [self.probabilities_from_features(part) for part in self.extractors.describe(images)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes)))

    def probabilities_from_features(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the same from (n, length) float32 features."""
        outputs = in_batches(self.head, features, self.options.prediction_batch)
        return temper(outputs, self.training["temperature"], multilabel=self.thresholds is not None)

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON, CSV, Keras weights, and the extractors with their weights."""
        write_metadata(
            folder,
            self.options.kind,
            classes=self.classes,
            thresholds=thresholds_to_json(self.thresholds),
            max_side=self.max_side,
            options=self.options.model_dump(mode="json"),
            training=self.training,
        )
        self.history.to_csv(folder / HISTORY, index=False)
        self.head.save_weights(folder / HEAD)
        self.extractors.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved head, into any backend of Keras."""
        metadata = read_metadata(folder)
        options = HeadOptions(**metadata["options"])
        features = metadata["training"]["features_per_image"]
        return cls(
            tuple(metadata["classes"]),
            metadata["max_side"],
            options,
            StoredExtractors.load(folder, options.features),
            load_head(folder, features),
            metadata["training"],
            read_history(folder),
            read_thresholds(metadata),
        )


def build_head(options: HeadOptions, features: int, classes: int, multilabel: bool) -> "keras.Model":
    """Build the head with the random weights that the seed gives; a multi-label head has sigmoid outputs."""
    set_seed(options.training.seed, stream=1)
    with training_precision(), names_from_zero():
        return options.build_head(features, classes, activation_of(multilabel))
