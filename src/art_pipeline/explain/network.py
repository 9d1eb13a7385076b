"""A trained network in two parts: images to the feature maps of a layer, and these to the scores of the classes.

The scores are the inputs of the last softmax or sigmoids. Keras is imported when a network is cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import ModelError, did_you_mean
from art_pipeline.explain.gradients import Gradients, compile_gradients
from art_pipeline.features.networks.application import MAP_RANK
from art_pipeline.features.networks.frozen import FrozenNetwork
from art_pipeline.features.networks.inference import batch_size
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.networks.network import Network
from art_pipeline.models.networks.trained_head import TrainedHead

if TYPE_CHECKING:
    import keras

FINE = 4  # positions along a side of a map that shows places

Images = NDArray[np.uint8]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class CutNetwork:
    """A network, or a head on the features of a frozen one, that is cut at a layer.

    Attributes:
        options: Options of the network; they resize images.
        base: Images to features.
        head: Features to probabilities.
        layer: Name of the layer.
        others: Further extractors of a head's features, in two groups: before and after the features of ``base``.
        size: Images per batch; None for the number that suits the network.
    """

    options: Any
    base: "keras.Model"
    head: "keras.Model"
    layer: str
    others: tuple[tuple[Any, ...], tuple[Any, ...]] = ((), ())
    size: int | None = None

    @property
    def batch_size(self) -> int:
        """Images per batch; one where their sizes differ."""
        known: int = self.size or getattr(self.options, "batch_size", None) or batch_size(*self.options.sides)
        return known

    def resize(self, pixels: Images) -> Images:
        """Resize a (height, width, 3) uint8 image as the network takes it."""
        resized: Images = self.options.resize(pixels)
        return resized

    def other_features(self, images: Sequence[Images]) -> tuple[Array, Array]:
        """Return the (n, length) features that come before and after those of the network."""
        groups = []
        for extractors in self.others:
            parts = [np.concatenate(list(one.describe(images))) for one in extractors]
            groups.append(np.concatenate([np.empty((len(images), 0)), *parts], axis=1).astype(np.float32))
        return groups[0], groups[1]

    def maps(self, batch: NDArray[Any]) -> Array:
        """Return the layer's (n, height, width, channels) maps of (n, height, width, 3) resized images."""
        return np.asarray(self._front.predict_on_batch(batch.astype(np.float32)))

    @cached_property
    def gradients(self) -> Gradients:
        """Gradients of scores; see `compile_gradients`. Further arrays are the images and `other_features`."""
        back = _model([self._output, self.base.input], self.base.output)

        def scores(maps: Any, images: Any, before: Any, after: Any) -> Any:
            from keras import ops

            features = back([maps, images], training=False)
            return logits(self.head, ops.concatenate([before, features, after], axis=1))

        return compile_gradients(scores)

    @cached_property
    def class_weights(self) -> Array:
        """The (channels, classes) weights of the averages of the layer's maps in the scores.

        Raises:
            ModelError: The scores are not sums of averages of this layer.
        """
        start = self.others_before + self._first_column()
        weights = linear_weights(self.head)
        return weights[start : start + self._output.shape[-1]]

    @property
    def others_before(self) -> int:
        """Number of features before those of the network."""
        return sum(one.length for one in self.others[0])

    def _first_column(self) -> int:
        named = self.options.named_layers
        pooled = named if len(named) > 1 else (map_layers(self.base)[-1],)
        averages = getattr(self.options, "pooling", "flatten") == "average"
        if not averages or getattr(self.options, "include_top", False):
            raise ModelError(
                "A class activation map (cam) needs a network whose features are averages of feature maps. Use "
                "grad_cam."
            )
        if self.layer not in pooled:
            raise ModelError(
                f"A class activation map (cam) of {self.layer} is not possible, as the features are averages of "
                f"{' and '.join(pooled)}. Use grad_cam, or set layer to one of these."
            )
        channels = [self.base.get_layer(name).output.shape[-1] for name in pooled]
        return int(sum(channels[: pooled.index(self.layer)]))

    @cached_property
    def _front(self) -> "keras.Model":
        return _model(self.base.input, self._output)

    @property
    def _output(self) -> "keras.KerasTensor":
        return self.base.get_layer(self.layer).output


def cut_network(model: Classifier, layer: str | None = None, fine: bool = False) -> CutNetwork | None:
    """Cut a trained model at a layer.

    Args:
        model: A trained model.
        layer: Name of a layer whose output is a feature map; None for the last one.
        fine: Whether None is the last layer through which all paths lead and whose map has at least 4 x 4 positions,
            if there is one.

    Returns:
        None for a model without a convolutional network, or for an ensemble.

    Raises:
        ModelError: The network has no such layer.
    """
    if isinstance(model, Network):
        return CutNetwork(model.options, model.base, model.head, find_layer(model.base, layer, fine))
    if not isinstance(model, TrainedHead):
        return None
    extractors = model.extractors.extractors
    networks = [i for i, one in enumerate(extractors) if isinstance(one, FrozenNetwork) and map_layers(one.base)]
    if not networks:
        return None
    chosen = next((i for i in networks if layer in map_layers(extractors[i].base)), networks[0])  # type: ignore[attr-defined]
    network = extractors[chosen]
    assert isinstance(network, FrozenNetwork)
    others = (tuple(extractors[:chosen]), tuple(extractors[chosen + 1 :]))
    return CutNetwork(network.options, network.base, model.head, find_layer(network.base, layer, fine), others)


def map_layers(base: "keras.Model") -> list[str]:
    """Return the names of the layers whose outputs are feature maps, without those of the image itself."""
    import keras

    def is_map(layer: Any) -> bool:
        return isinstance(getattr(layer, "output", None), keras.KerasTensor) and len(layer.output.shape) == MAP_RANK

    names = [layer.name for layer in base.layers if is_map(layer)]
    first = next((i for i, name in enumerate(names) if base.get_layer(name).weights), len(names))
    return names[first:]


def find_layer(base: "keras.Model", name: str | None, fine: bool = False) -> str:
    """Return the name of a layer whose output is a feature map: the given one, or the last.

    Raises:
        ModelError: There is no such layer.
    """
    known = map_layers(base)
    if not known:
        raise ModelError("The network has no layer whose output is a feature map. Use occlusion.")
    if name is None:
        large = [one for one in trunk_layers(base) if one in known and _side(base.get_layer(one)) >= FINE]
        return large[-1] if fine and large else known[-1]
    if name not in known:
        raise ModelError(
            f"The network has no layer {name!r} whose output is a feature map.{did_you_mean(name, known)} The last "
            f"ones are {', '.join(known[-5:])}."
        )
    return name


def trunk_layers(base: "keras.Model") -> list[str]:
    """Return the names of the layers through which all paths from the image to the features lead."""
    import keras

    operations = base.operations  # also those that are not layers, in the order of computation
    position = {id(one): i for i, one in enumerate(operations)}
    readers = [0] * len(operations)  # position of the last operation that reads the output of each
    for i, one in enumerate(operations[1:], start=1):
        for tensor in keras.tree.flatten(one.input):
            readers[position[id(tensor._keras_history.operation)]] = i
    furthest, trunk = 0, []
    for i, one in enumerate(operations):
        if furthest <= i:
            trunk.append(one.name)
        furthest = max(furthest, readers[i])
    return trunk


def _side(layer: Any) -> int:
    return min(side or FINE for side in layer.output.shape[1:3])


def logits(head: "keras.Model", features: Any) -> Any:
    """Return the (n, classes) inputs of the last activation of a head."""
    from keras import ops

    *layers, last = head.layers
    for layer in layers:
        features = layer(features, training=False) if layer.__class__.__name__ == "Dropout" else layer(features)
    return ops.matmul(features, last.kernel) + last.bias


def linear_weights(head: "keras.Model") -> Array:
    """Return the (features, classes) weights of a head without hidden layers, with its standardization.

    Raises:
        ModelError: The head has hidden layers.
    """
    import keras

    kernels = [layer for layer in head.layers if isinstance(layer, keras.layers.Dense)]
    if len(kernels) > 1:
        raise ModelError("A class activation map (cam) needs a head without hidden layers. Use grad_cam.")
    weights: Array = np.asarray(keras.ops.convert_to_numpy(kernels[0].kernel), np.float32)
    for layer in head.layers:
        if isinstance(layer, keras.layers.Normalization):
            variance = keras.ops.convert_to_numpy(layer.variance).reshape(-1, 1)
            weights = weights / np.maximum(np.sqrt(variance), keras.config.epsilon())
    return weights


def _model(inputs: Any, outputs: Any) -> "keras.Model":
    import keras

    return keras.Model(inputs, outputs)
