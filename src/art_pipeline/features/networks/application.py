"""Networks of ``keras.applications`` without their top, cut at named layers.

Frozen networks (`art_pipeline.features.networks.frozen`) and trained ones (`art_pipeline.models.networks`) share it.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import field_validator, model_validator

from art_pipeline.common.progress import parameter
from art_pipeline.errors import ModelError, did_you_mean
from art_pipeline.features.networks.image_size import SizedOptions

if TYPE_CHECKING:
    import keras

NAMED_WEIGHTS = ("random", "imagenet")  # any other value is a path
MAP_RANK = 4  # images, height, width, channels
LAYER_COUNTERS = "object_name_uids"  # Keras' global counters for layer names

# Scale and offset of each mode of preprocessing of keras.applications, with the statistics of ImageNet's channels.
_MEANS, _DEVIATIONS = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SCALINGS: dict[str, tuple[Any, Any]] = {
    "tf": (1 / 127.5, -1),
    "torch": ((1 / 255 / _DEVIATIONS).tolist(), (-_MEANS / _DEVIATIONS).tolist()),
    "caffe": (1.0, [-103.939, -116.779, -123.68]),  # blue, green, red
}


class Application(SizedOptions):
    """Options of a network of ``keras.applications``.

    Attributes:
        weights: Initial weights of the base: ``random``, ``imagenet``, or the path of a file of weights of the same
            architecture, of Keras (``.h5``, ``.weights.h5``, ``.keras``) or ONNX.
        pooling: How the map of a layer becomes features: its ``average`` over all positions, or all its values
            (``flatten``).
        include_top: Whether to keep the top of the network, whose 1,000 probabilities of ImageNet's classes are the
            features then.
    """

    ARCHITECTURE: ClassVar[str]  # name in params.yaml
    APPLICATION: ClassVar[str]  # name of the function in keras.applications
    WEIGHT_FILES: ClassVar[tuple[str, ...]] = ()  # Keras' names of its ImageNet weights, without and with the top
    HAS_TOP: ClassVar[bool] = True
    LAYERS_KEY: ClassVar[str]  # the parameter that names layers
    PREPROCESSING: ClassVar[Literal["tf", "caffe", "torch"]] = "tf"  # what its ImageNet weights expect

    MIN_SIZE = 32

    image_size: int | tuple[int, int] = 224
    weights: str = "random"
    pooling: Literal["average", "flatten"] = "average"
    include_top: bool = False

    @field_validator("weights")
    @classmethod
    def _are_known_to_keras(cls, value: str) -> str:
        if value == "imagenet" and not cls.WEIGHT_FILES:
            raise ValueError(f"Keras has no ImageNet weights of {cls.ARCHITECTURE}: give the path of a file")
        return value

    @model_validator(mode="after")
    def _has_one_output(self) -> Self:
        if self.include_top and not self.HAS_TOP:
            raise ValueError(f"{self.ARCHITECTURE} has no top here: set include_top to false")
        if self.include_top and (self.named_layers or self.pooling != "average"):
            raise ValueError(
                f"the features of a network with include_top are its probabilities: leave {self.LAYERS_KEY} empty and "
                "set pooling to average, or include_top to false"
            )
        return self

    @property
    @abstractmethod
    def named_layers(self) -> tuple[str, ...]:
        """Layers whose pooled maps are the features; empty for the last layer."""

    @property
    def input_shape(self) -> tuple[int | None, int | None, int]:
        """Height, width and channels of the base's input; None for any."""
        return *self.sides, 3

    @property
    def read_paths(self) -> tuple[str, ...]:
        """The file of initial weights, if any."""
        return (*super().read_paths, *(() if self.weights in NAMED_WEIGHTS else (self.weights,)))

    def build_application(self, **settings: Any) -> "keras.Model":
        """Build the network; ``settings`` are the arguments of its function in ``keras.applications``."""
        import keras

        application: keras.Model = getattr(keras.applications, self.APPLICATION)(**settings)
        return application

    def preprocess(self, pixels: "keras.KerasTensor") -> "keras.KerasTensor":
        """Scale pixels as the ImageNet weights expect them, by the modes of ``keras.applications``.

        ``tf`` scales to the range from -1 to 1; ``caffe`` reverses the channels to BGR and subtracts the means of
        ImageNet; ``torch`` scales to the range from 0 to 1, and standardises by the means and deviations of ImageNet.

        Args:
            pixels: (n, height, width, 3), RGB from 0 to 255.
        """
        from keras.layers import Rescaling

        scale, offset = SCALINGS[self.PREPROCESSING]
        return Rescaling(scale, offset=offset)(pixels[..., ::-1] if self.PREPROCESSING == "caffe" else pixels)

    def build_base(self) -> "keras.Model":
        """Build the base as far as the named layers."""
        return self.cut(self.build_whole())

    def build_whole(self) -> "keras.Model":
        """Build a base up to the network's last pooling layer, or with its top, whatever the named layers are."""
        import keras

        pixels = keras.Input(self.input_shape)
        end = {"include_top": True} if self.include_top else {"include_top": False, "pooling": "avg"}
        whole = self.build_application(weights=None, input_tensor=self.preprocess(pixels), **end)
        return keras.Model(pixels, whole.output, name="base")

    def cut(self, whole: "keras.Model") -> "keras.Model":
        """Cut a whole base at the named layers; both share their layers.

        Returns:
            (n, height, width, 3) pixels to (n, features).

        Raises:
            ModelError: The network has no such layer, or its output is not a feature map.
        """
        import keras

        if self.pooling == "average" and not self.named_layers:
            return whole
        maps = self.find_maps(whole, self.pooled_layers(whole), self.LAYERS_KEY)
        pool = keras.layers.GlobalAveragePooling2D if self.pooling == "average" else keras.layers.Flatten
        parts = [pool(name=f"{name}_{self.pooling}")(x) for name, x in maps]
        features = parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="features")(parts)
        return keras.Model(whole.input, features, name="base")

    def pooled_layers(self, whole: "keras.Model") -> tuple[str, ...]:
        """Return the named layers, or the last layer of a whole base that gives a map."""
        return self.named_layers or tuple(_maps_of(whole))[-1:]

    def find_maps(
        self, whole: "keras.Model", names: Iterable[str], key: str
    ) -> Iterator[tuple[str, "keras.KerasTensor"]]:
        """Yield name and (n, height, width, channels) output of layers, which the parameter ``key`` names."""
        known = _maps_of(whole)
        for name in names:
            if name not in known:
                raise ModelError(
                    f"{parameter(key)} cannot hold {name!r}: {self.ARCHITECTURE} has no layer of this name "
                    f"whose output is a feature map.{did_you_mean(name, known)} Keras' summary() of the network lists "
                    "the layers."
                )
            yield name, known[name]


def _maps_of(whole: "keras.Model") -> dict[str, "keras.KerasTensor"]:
    return {layer.name: layer.output for layer in whole.layers if len(layer.output.shape) == MAP_RANK}


def require_unique(names: tuple[str, ...], key: str) -> tuple[str, ...]:
    """Return the names.

    Raises:
        ValueError: One of them occurs twice.
    """
    if repeated := {one for one in names if names.count(one) > 1}:
        raise ValueError(f"{key} holds {min(repeated)!r} twice")
    return names


@contextmanager
def names_from_zero() -> Iterator[None]:
    """Let Keras name layers as it does in a new process, and restore its counters afterwards.

    Keras numbers layers without a name of their own across a process, and parameters refer to these names.
    ``keras.utils.clear_session`` would reset the counters for all users of Keras in the process.
    """
    from keras.src.backend.common import global_state

    known = global_state.get_global_attribute(LAYER_COUNTERS)
    global_state.set_global_attribute(LAYER_COUNTERS, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(LAYER_COUNTERS, known)


def set_seed(seed: int, stream: int) -> None:
    """Seed Keras: stream 0 for the weights of a base, 1 for those of a head, which do not depend on the base."""
    import keras

    keras.utils.set_random_seed(int(np.random.SeedSequence(seed).generate_state(2)[stream]))
