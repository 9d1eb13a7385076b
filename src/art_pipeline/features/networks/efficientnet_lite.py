"""EfficientNet-Lite (Liu 2020, "Higher accuracy on vision models with EfficientNet-Lite"; Tan & Le 2019).

EfficientNet without squeeze-and-excitation, with ReLU6, and with a stem and a head of the same width in all versions.
``keras.applications`` does not have it. Layers are named as those of its MobileNetV2: ``block_1_expand_relu``,
``block_2_add``, ``out_relu``.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import field_validator

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions

if TYPE_CHECKING:
    import keras

STEM, HEAD, DIVISOR = 32, 1280, 8  # channels
# Blocks, kernel, stride of the first block, expansion and channels of each stage of version 0.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
SCALES = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2), 3: (1.2, 1.4), 4: (1.4, 1.8)}  # of channels and of blocks


class EfficientNetLite(Application):
    """The architecture.

    Attributes:
        version: 0 to 4, from the smallest to the largest.
        image_size: Height and width, in pixels, to which images are resized, or a pair of both; 224, 240, 260, 280
            and 300 for the versions in the source.
        weights: ``random``, or the path of a file of Keras weights; ``benchmarks/efficientnet_lite.py`` makes one.
    """

    ARCHITECTURE = "efficientnet_lite"
    HAS_TOP = False

    version: Literal[0, 1, 2, 3, 4] = 0

    @field_validator("weights")
    @classmethod
    def _are_known_to_keras(cls, value: str) -> str:
        if value == "imagenet":
            raise ValueError(
                "cannot be imagenet: Keras has no weights of this network. Convert those of its authors with "
                "benchmarks/efficientnet_lite.py, and name the file"
            )
        return value

    def build_application(self, **settings: Any) -> "keras.Model":
        """Build the network without its top, with global average pooling, on ``input_tensor``."""
        import keras

        maps = _convolve(settings["input_tensor"], STEM, "stem", kernel=3, stride=2)
        for number, (kernel, stride, expansion, channels) in enumerate(_blocks(*SCALES[self.version])):
            maps = _bottleneck(maps, f"block_{number}", kernel, stride, expansion, channels)
        maps = _convolve(maps, HEAD, "out")
        inputs = keras.utils.get_source_inputs(settings["input_tensor"])
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(maps))


class FrozenEfficientNetLiteOptions(EfficientNetLite, FrozenOptions):
    """Features of ``extractor: efficientnet_lite``."""

    extractor: Literal["efficientnet_lite"] = "efficientnet_lite"


def round_channels(channels: float) -> int:
    """Return the nearest multiple of 8, but no less than nine tenths of the number.

    >>> round_channels(24 * 1.1), round_channels(112 * 1.1)
    (24, 120)
    """
    nearest = max(DIVISOR, int(channels + DIVISOR / 2) // DIVISOR * DIVISOR)
    return nearest if nearest >= 0.9 * channels else nearest + DIVISOR


def _blocks(width: float, depth: float) -> Iterator[tuple[int, int, int, int]]:
    """Yield kernel, stride, expansion and channels of each block; the outer stages keep their number of blocks."""
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        scaled = repeats if stage in {0, len(STAGES) - 1} else int(np.ceil(repeats * depth))
        for number in range(scaled):
            yield kernel, 1 if number else stride, expansion, round_channels(channels * width)


def _bottleneck(
    maps: "keras.KerasTensor", name: str, kernel: int, stride: int, expansion: int, channels: int
) -> "keras.KerasTensor":
    """Apply an inverted residual block (Sandler et al. 2018)."""
    from keras import layers

    inner = maps
    if expansion > 1:
        inner = _convolve(inner, expansion * maps.shape[-1], f"{name}_expand")
    convolution = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise")
    inner = _normalise(convolution(inner), f"{name}_depthwise")
    inner = _convolve(inner, channels, f"{name}_project", relu=False)
    same = stride == 1 and channels == maps.shape[-1]
    return layers.Add(name=f"{name}_add")([inner, maps]) if same else inner


def _convolve(
    maps: "keras.KerasTensor", channels: int, name: str, *, kernel: int = 1, stride: int = 1, relu: bool = True
) -> "keras.KerasTensor":
    from keras import layers

    return _normalise(layers.Conv2D(channels, kernel, stride, "same", use_bias=False, name=name)(maps), name, relu)


def _normalise(maps: "keras.KerasTensor", name: str, relu: bool = True) -> "keras.KerasTensor":
    from keras import layers

    normalised = layers.BatchNormalization(name=f"{name}_BN")(maps)  # Keras' epsilon is the authors'
    return layers.ReLU(6.0, name=f"{name}_relu")(normalised) if relu else normalised
