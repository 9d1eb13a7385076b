"""A convolutional network as a classifier: a base that computes features, and a head that classifies them.

Keras is imported when a network is built.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import ModelError
from art_pipeline.images.standardize import stretch
from art_pipeline.models.classifier import read_metadata, write_metadata
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.networks.inference import batch_size, features_of, in_batches
from art_pipeline.models.networks.temperature import temper

if TYPE_CHECKING:
    import keras

    from art_pipeline.models.networks.family import NetworkOptions

LAYER_COUNTERS = "object_name_uids"  # Keras' global counters for layer names
BASE, HEAD, HISTORY = "base.weights.h5", "head.weights.h5", "history.csv"


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
    """

    classes: tuple[str, ...]
    max_side: int
    options: "NetworkOptions"
    base: "keras.Model"
    head: "keras.Model"
    training: Mapping[str, Any]
    history: pd.DataFrame

    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return class probabilities of images.

        Args:
            images: (height, width, 3) uint8 arrays, RGB. Each is resized unless it has the network's size.

        Returns:
            (n, classes) float64; each row sums to 1.
        """
        resized = (stretch(pixels, self.options.image_size) for pixels in images)
        outputs = in_batches(self.head, features_of(self.base, resized), batch_size(self.options.image_size))
        return temper(outputs, self.training["temperature"])

    def save(self, folder: Path) -> None:
        """Write the network into a folder: JSON, CSV, and Keras weight files."""
        write_metadata(
            folder,
            self.options.kind,
            classes=self.classes,
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
        options, classes = _options(metadata), tuple(metadata["classes"])
        with names_from_zero():
            base = options.build_base()
        with names_from_zero():
            head = options.build_head(base.output_shape[-1], len(classes))
        base.load_weights(folder / BASE)
        head.load_weights(folder / HEAD)
        history = read_history(folder)
        return cls(classes, metadata["max_side"], options, base, head, metadata["training"], history)


def read_history(folder: Path) -> pd.DataFrame:
    """Read the ``history`` of a saved network."""
    return pd.read_csv(folder / HISTORY, float_precision="round_trip")


def predict_from_features(folder: Path, features: NDArray[np.float32]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Predict with a saved network from features that its base computed, without loading the base.

    Args:
        folder: Folder of the network.
        features: (n, features) float32.

    Returns:
        (n, classes) float64 probabilities, and the class labels.
    """
    metadata = read_metadata(folder)
    options, classes = _options(metadata), tuple(metadata["classes"])
    head = options.build_head(features.shape[1], len(classes))
    head.load_weights(folder / HEAD)
    outputs = in_batches(head, features, batch_size(options.image_size))
    return temper(outputs, metadata["training"]["temperature"]), classes


def build(options: "NetworkOptions", classes: int) -> tuple["keras.Model", "keras.Model"]:
    """Build base and head with the random weights that the seed gives."""
    base = build_base(options)
    _set_seed(options, stream=1)  # the head's initial weights do not depend on the base
    with names_from_zero():
        return base, options.build_head(base.output_shape[-1], classes)


def build_base(options: "NetworkOptions") -> "keras.Model":
    """Build the base alone, with the random weights that the seed gives, and freeze its layers."""
    _set_seed(options, stream=0)
    with names_from_zero():
        base = options.build_base()
    options.freeze(base)
    return base


def load_trained(base: "keras.Model", head: "keras.Model", classes: Sequence[str], folder: Path) -> None:
    """Load the weights of a saved network into a base and a head of the same architecture.

    Args:
        base: Changed in place.
        head: Changed in place.
        classes: Class labels of the head.
        folder: Folder of the saved network.

    Raises:
        ModelError: The saved network has other classes or another architecture.
    """
    known = read_metadata(folder)["classes"]
    if known != list(classes):
        raise ModelError(f"A model cannot start from one with other classes: {', '.join(known)}.")
    try:
        base.load_weights(folder / BASE)
        head.load_weights(folder / HEAD)
    except ValueError as error:
        raise ModelError(f"A model can start only from one of the same kind and layers: {error}") from error


@contextmanager
def names_from_zero() -> Iterator[None]:
    """Let Keras name layers as it does in a new process, and restore its counters afterwards.

    Keras numbers layers without a name of their own across a process, and ``feature_layers`` refers to these names.
    ``keras.utils.clear_session`` would reset the counters for all users of Keras in the process.
    """
    from keras.src.backend.common import global_state

    known = global_state.get_global_attribute(LAYER_COUNTERS)
    global_state.set_global_attribute(LAYER_COUNTERS, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(LAYER_COUNTERS, known)


def _options(metadata: Mapping[str, Any]) -> "NetworkOptions":
    return cast("NetworkOptions", ModelFamily.model_validate(metadata["options"]))


def _set_seed(options: "NetworkOptions", stream: int) -> None:
    import keras

    keras.utils.set_random_seed(int(np.random.SeedSequence(options.training.seed).generate_state(2)[stream]))
