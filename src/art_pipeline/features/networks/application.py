"""Networks of ``keras.applications`` without their top, cut at named layers.

Frozen networks (`art_pipeline.features.networks.frozen`) and trained ones (`art_pipeline.models.networks`) share it.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from art_pipeline.common.options import Options
from art_pipeline.common.progress import parameter
from art_pipeline.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    import keras

NAMED_WEIGHTS = ("random", "imagenet")  # any other value is a path
MAP_RANK = 4  # images, height, width, channels
LAYER_COUNTERS = "object_name_uids"  # Keras' global counters for layer names


class Application(Options):
    """Options of a network of ``keras.applications``.

    Attributes:
        image_size: Height and width, in pixels, to which images are resized.
        weights: Initial weights of the base: ``random``, ``imagenet``, or the path of a file of Keras
            weights of the same architecture.
    """

    ARCHITECTURE: ClassVar[str]  # name in params.yaml
    APPLICATION: ClassVar[str]  # name of the function in keras.applications
    WEIGHT_FILES: ClassVar[tuple[str, str]]  # Keras' names of its ImageNet weights, without and with the top
    LAYERS_KEY: ClassVar[str]  # the parameter that names layers

    image_size: int
    weights: str = "random"

    @property
    @abstractmethod
    def named_layers(self) -> tuple[str, ...]:
        """Layers whose averages are the features; empty for the last layer."""

    @property
    def input_shape(self) -> tuple[int | None, int | None, int]:
        """Height, width and channels of the base's input; None for any."""
        return self.image_size, self.image_size, 3

    @property
    def read_paths(self) -> tuple[str, ...]:
        """The file of initial weights, if any."""
        return () if self.weights in NAMED_WEIGHTS else (self.weights,)

    def build_application(self, **settings: Any) -> "keras.Model":
        """Build the network; ``settings`` are the arguments of its function in ``keras.applications``."""
        import keras

        application: keras.Model = getattr(keras.applications, self.APPLICATION)(**settings)
        return application

    def preprocess(self, pixels: "keras.KerasTensor") -> "keras.KerasTensor":
        """Scale pixels as the ImageNet weights expect them: to the range from -1 to 1, unless overridden.

        Args:
            pixels: (n, size, size, 3), from 0 to 255.
        """
        import keras

        return keras.layers.Rescaling(1 / 127.5, offset=-1)(pixels)

    def build_base(self) -> "keras.Model":
        """Build the base as far as the named layers."""
        return self.cut(self.build_whole())

    def build_whole(self) -> "keras.Model":
        """Build a base up to the network's last pooling layer, whatever the named layers are."""
        import keras

        pixels = keras.Input(self.input_shape)
        scaled = self.preprocess(pixels)
        whole = self.build_application(include_top=False, weights=None, input_tensor=scaled, pooling="avg")
        return keras.Model(pixels, whole.output, name="base")

    def cut(self, whole: "keras.Model") -> "keras.Model":
        """Cut a whole base at the named layers; both share their layers.

        Returns:
            (n, size, size, 3) pixels to (n, sum of the layers' channels).

        Raises:
            ModelError: The network has no such layer, or its output is not a feature map.
        """
        import keras

        if not self.named_layers:
            return whole
        maps = self.find_maps(whole, self.named_layers, self.LAYERS_KEY)
        averages = [keras.layers.GlobalAveragePooling2D(name=f"{name}_average")(x) for name, x in maps]
        features = averages[0] if len(averages) == 1 else keras.layers.Concatenate(name="features")(averages)
        return keras.Model(whole.input, features, name="base")

    def find_maps(
        self, whole: "keras.Model", names: Iterable[str], key: str
    ) -> Iterator[tuple[str, "keras.KerasTensor"]]:
        """Yield name and (n, height, width, channels) output of layers, which the parameter ``key`` names."""
        known = {layer.name: layer.output for layer in whole.layers if len(layer.output.shape) == MAP_RANK}
        for name in names:
            if name not in known:
                raise ModelError(
                    f"{parameter(key)} cannot hold {name!r}: {self.ARCHITECTURE} has no layer of this name "
                    f"whose output is a feature map.{did_you_mean(name, known)} Keras' summary() of the network lists "
                    "the layers."
                )
            yield name, known[name]


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
