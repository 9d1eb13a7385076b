"""A convolutional network as a classifier: a base that computes features, and a head that classifies them.

Keras is imported when a network is built.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.keras_runtime import training_precision
from art_pipeline.errors import ModelError
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.features.networks.application import names_from_zero, set_seed
from art_pipeline.features.networks.inference import features_of, in_batches
from art_pipeline.features.networks.weights import BASE
from art_pipeline.features.store import EXTRACTOR, WEIGHTS, read_json
from art_pipeline.models.classifier import read_metadata, read_thresholds, thresholds_to_json, write_metadata
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.features import FOLDER
from art_pipeline.models.networks.temperature import temper

if TYPE_CHECKING:
    import keras

    from art_pipeline.models.networks.family import Activation, KerasFamily, NetworkOptions

HEAD_KIND = "head"
HEAD, HISTORY = "head.weights.h5", "history.csv"


@dataclass(frozen=True)
class Network:
    """A trained network; a `Classifier`.

    Attributes:
        classes: Class labels, in the order of the probabilities' columns.
        max_side: Longest side, in pixels, of the training images before they were resized.
        options: Options of the network.
        base: Images to features.
        head: Features to probabilities.
        training: What training reported, as JSON values, with the ``temperature`` of the probabilities.
        history: A row per epoch: ``epoch`` from 1, ``loss``, ``accuracy``, ``top_5_accuracy``,
            ``precision``, ``recall`` and ``auc``, and the same with the prefix ``val_``, float64; the latter are
            NaN where the network trained on the validation split.
        thresholds: Threshold of each label of a multi-label task; None for a multi-class task.
    """

    classes: tuple[str, ...]
    max_side: int
    options: "NetworkOptions"
    base: "keras.Model"
    head: "keras.Model"
    training: Mapping[str, Any]
    history: pd.DataFrame
    thresholds: LabelThresholds | None = None

    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return class probabilities of images.

        Args:
            images: (height, width, 3) uint8 arrays, RGB. Each is resized unless it has the network's size.

        Returns:
            (n, classes) float64; each row sums to 1, except those of a multi-label network.
        """
        features = features_of(self.base, map(self.options.resize, images))
        outputs = in_batches(self.head, features, self.options.prediction_batch)
        return temper(outputs, self.training["temperature"], multilabel=self.thresholds is not None)

    def save(self, folder: Path) -> None:
        """Write the network into a folder: JSON, CSV, and Keras weight files."""
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
        self.base.save_weights(folder / BASE)
        self.head.save_weights(folder / HEAD)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved network, into any backend of Keras."""
        metadata = read_metadata(folder)
        options, classes = cast("NetworkOptions", _options(metadata)), tuple(metadata["classes"])
        with names_from_zero():
            base = options.build_base()
        base.load_weights(folder / BASE)
        head = load_head(folder, base.output_shape[-1])
        history, thresholds = read_history(folder), read_thresholds(metadata)
        return cls(classes, metadata["max_side"], options, base, head, metadata["training"], history, thresholds)


def read_history(folder: Path) -> pd.DataFrame:
    """Read the ``history`` of a saved network."""
    return pd.read_csv(folder / HISTORY, float_precision="round_trip")


def build(options: "NetworkOptions", classes: int, multilabel: bool = False) -> tuple["keras.Model", "keras.Model"]:
    """Build base and head with the random weights that the seed gives; a multi-label head has sigmoid outputs.

    Their layers compute in the precision of training.
    """
    with training_precision():
        base = build_base(options)
        set_seed(options.training.seed, stream=1)  # the head's initial weights do not depend on the base
        with names_from_zero():
            return base, options.build_head(base.output_shape[-1], classes, activation_of(multilabel))


def build_base(options: "NetworkOptions") -> "keras.Model":
    """Build the base alone, with the random weights that the seed gives, and freeze its layers."""
    set_seed(options.training.seed, stream=0)
    with names_from_zero():
        base = options.build_base()
    options.freeze(base)
    return base


def load_trained(
    base: "keras.Model", head: "keras.Model", options: "NetworkOptions", classes: Sequence[str], folder: Path
) -> None:
    """Load the weights of a saved network into a base and a head of the same architecture.

    From a network of another task, the head keeps its random weights, and takes only the means and variances of the
    features.

    Args:
        base: Changed in place.
        head: Changed in place.
        options: Options of the network that starts.
        classes: Class labels of the head.
        folder: Folder of the saved network.

    Raises:
        ModelError: The saved network has another architecture, or other classes of the same task.
    """
    metadata = read_metadata(folder)
    is_same = _options(metadata).task == options.task
    if is_same and metadata["classes"] != list(classes):
        raise ModelError(f"A model cannot start from one with other classes: {', '.join(metadata['classes'])}.")
    try:
        base.load_weights(_base_file(folder, options))
        if is_same:
            head.load_weights(folder / HEAD)
        else:
            _copy_statistics(load_head(folder, base.output_shape[-1]), head)
    except ValueError as error:
        raise ModelError(f"A model can start only from one of the same kind and layers: {error}") from error


def _base_file(folder: Path, options: "NetworkOptions") -> Path:
    """Return the weights of the base of a saved network, or of the frozen network of a saved head.

    Raises:
        ModelError: The head was trained on features of another network, or of other layers.
    """
    metadata = read_metadata(folder)
    if metadata["kind"] != HEAD_KIND:
        return folder / BASE
    extractor: Path = folder / FOLDER / metadata["options"]["features"][0]
    config = read_json(extractor / EXTRACTOR)
    known = config["options"]
    more = [key for key in ("deviations", "covariances") if known.get(key)]
    found = (config["extractor"], known.get("layers"), known.get("pooling"), known.get("include_top"))
    wanted = (options.kind, list(options.named_layers), *(getattr(options, key) for key in ("pooling", "include_top")))
    if found != wanted or more:
        raise ModelError(
            f"A model of kind {options.kind} cannot start from a head on other features than its own: those of the "
            f"head are {_features_of(*found)}{' and '.join(['', *more])}, its own {_features_of(*wanted)}. Use "
            "the same network and layers."
        )
    return extractor / WEIGHTS / BASE


def _features_of(network: str, layers: Sequence[str], pooling: str, include_top: bool) -> str:
    return f"{network} with the layers {layers}, pooling {pooling}{', include_top' if include_top else ''}"


def _copy_statistics(source: "keras.Model", head: "keras.Model") -> None:
    """Copy the means and variances of features from one head to another."""
    for known, layer in zip(*(_normalizations(one) for one in (source, head)), strict=True):
        layer.set_weights(known.get_weights())
        layer.finalize_state()


def _normalizations(head: "keras.Model") -> list["keras.layers.Normalization"]:
    import keras

    return [layer for layer in head.layers if isinstance(layer, keras.layers.Normalization)]


def load_head(folder: Path, features: int) -> "keras.Model":
    """Build the head of a saved model for a number of features, and load its weights."""
    metadata = read_metadata(folder)
    activation = activation_of(multilabel=metadata["task_kind"] == "multilabel")
    with names_from_zero():
        head = _options(metadata).build_head(features, len(metadata["classes"]), activation)
    head.load_weights(folder / HEAD)
    return head


def activation_of(multilabel: bool) -> "Activation":
    """Return the activation of the output layer."""
    return "sigmoid" if multilabel else "softmax"


def _options(metadata: Mapping[str, Any]) -> "KerasFamily":
    return cast("KerasFamily", ModelFamily.model_validate(metadata["options"]))
