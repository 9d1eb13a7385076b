"""AlexNet (Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks").

Layers, strides, biases and initialization follow sections 3 and 5 of the paper: five convolutions of 96, 256, 384,
384 and 256 filters; local response normalization after the first two; overlapping max pooling (size 3, stride 2)
after the first, second and fifth; two hidden layers of 4,096 units with dropout of 0.5; weights from a normal
distribution with standard deviation 0.01; biases of 1 in the second, fourth and fifth convolution and in the hidden
layers.

Differences from the paper:

* One stream. The paper splits the second, fourth and fifth convolution over two GPUs; unsplit convolutions have 62.4
  instead of 61.0 million parameters at 227 pixels and 1,000 classes.
* 227 instead of 224 pixels: the size that gives the paper's 55 x 55 maps after the first convolution without padding.
* Pixels are centred by 127.5 instead of the mean of the training images, so that a saved network needs no data.
* Adam with early stopping by the validation loss instead of momentum with a manually lowered learning rate, and no
  weight decay, unless ``training.sgd``, ``schedule`` and ``l2`` are set.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from art_pipeline.models.networks.family import Activation, NetworkOptions

if TYPE_CHECKING:
    import keras

STANDARD_DEVIATION = 0.01


class AlexNetOptions(NetworkOptions):
    """Options of a network of ``kind: alexnet``.

    Attributes:
        normalisation: ``local_response`` as in the paper, or ``batch`` normalization (Ioffe & Szegedy 2015), which
            tolerates higher learning rates.
        units: Units of each of the two hidden layers; 4,096 in the paper.
        dropout: Dropout rate in each hidden layer.
    """

    DESCRIPTION = "a convolutional network with the AlexNet architecture"
    MIN_SIZE = 67  # below, the last pooling has no input

    kind: Literal["alexnet"] = "alexnet"
    image_size: int | tuple[int, int] = 227
    normalisation: Literal["local_response", "batch"] = "local_response"
    units: int = Field(default=4096, ge=1)
    dropout: float = Field(default=0.5, ge=0, lt=1)

    def build_base(self) -> "keras.Model":
        """Build the convolutional layers."""
        import keras
        from keras import layers

        pixels = keras.Input((*self.sides, 3))
        x = layers.Rescaling(1.0, offset=-127.5)(pixels)
        x = self._normalise(_convolve(x, 96, 11, bias=0, strides=4, padding="valid"))
        x = layers.MaxPooling2D(3, 2)(x)
        x = self._normalise(_convolve(x, 256, 5, bias=1))
        x = layers.MaxPooling2D(3, 2)(x)
        x = _convolve(x, 384, 3, bias=0)
        x = _convolve(x, 384, 3, bias=1)
        x = _convolve(x, 256, 3, bias=1)
        x = layers.MaxPooling2D(3, 2)(x)
        return keras.Model(pixels, layers.Flatten()(x), name="base")

    def build_head(self, features: int, classes: int, activation: Activation = "softmax") -> "keras.Model":
        """Build the fully connected layers."""
        import keras
        from keras import layers

        return keras.Sequential(
            [
                keras.Input((features,)),
                layers.Dense(self.units, "relu", kernel_initializer=_normal(), bias_initializer="ones"),
                layers.Dropout(self.dropout),
                layers.Dense(self.units, "relu", kernel_initializer=_normal(), bias_initializer="ones"),
                layers.Dropout(self.dropout),
                layers.Dense(classes, activation, kernel_initializer=_normal(), dtype="float32"),
            ],
            name="head",
        )

    def _normalise(self, x: "keras.KerasTensor") -> "keras.KerasTensor":
        from keras import layers

        return local_response(x) if self.normalisation == "local_response" else layers.BatchNormalization()(x)


def _normal() -> "keras.Initializer":
    """Return the paper's initializer; one per layer, as Keras' initializers repeat their values when reused."""
    import keras

    return keras.initializers.RandomNormal(stddev=STANDARD_DEVIATION)


def _convolve(
    x: "keras.KerasTensor", filters: int, width: int, bias: float, strides: int = 1, padding: str = "same"
) -> "keras.KerasTensor":
    import keras

    return keras.layers.Conv2D(
        filters,
        width,
        strides,
        padding,
        activation="relu",
        kernel_initializer=_normal(),
        bias_initializer=keras.initializers.Constant(bias),
    )(x)


def local_response(
    x: "keras.KerasTensor", neighbours: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75
) -> "keras.KerasTensor":
    """Normalize activations by those of neighbouring channels at the same position (section 3.3 of the paper).

    Args:
        x: (n, height, width, channels).
        neighbours: Number of channels in the sum, with the channel itself.
        k: Offset of the sum.
        alpha: Weight of the sum.
        beta: Exponent of the divisor.

    Returns:
        (n, height, width, channels).
    """
    from keras import ops

    channels = np.arange(x.shape[-1])
    near = np.abs(channels[:, None] - channels) <= neighbours // 2
    total = ops.matmul(ops.square(x), near.astype(np.float32))  # several times faster than sums of slices
    return x * ops.power(k + alpha * total, -beta)
