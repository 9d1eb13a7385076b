"""AlexNet (Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks").

Layers, strides, biases and initialisation are the paper's (sections 3 and 5): five
convolutions of 96, 256, 384, 384 and 256 filters, response normalisation after the first
two, overlapping pooling (3 wide, 2 apart) after the first, second and fifth, two layers of
4,096 units with dropout of a half; weights from a normal distribution of deviation 0.01,
biases of 1 in the second, fourth and fifth convolution and the hidden layers.

It differs from the paper where the paper was bound to its machine or its data:

* One stream. The paper cut the second, fourth and fifth convolution in two halves, one a
  graphics card; whole ones have 62.4 instead of 61.0 million parameters at 227 pixels and
  1,000 classes.
* 227 pixels, not 224: the size at which the paper's own arithmetic (55 x 55 after the first
  convolution, without padding) comes out.
* Pixels are centred by 127.5, not by the mean of the training images, so that a stored
  network needs nothing of its data.
* Adam with a stop by the validation loss, not momentum with a rate lowered by hand, and no
  weight decay.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from art_pipeline.models.networks.network import NetworkOptions

if TYPE_CHECKING:
    import keras

LEAST_SIZE = 67  # smaller, and nothing is left to pool after the fifth convolution
DEVIATION = 0.01


class AlexNetOptions(NetworkOptions):
    """A network of ``kind: alexnet``.

    Attributes:
        image_size: Height and width, in pixels, to which images are stretched.
        normalisation: ``local_response`` is the paper's; ``batch`` (Ioffe & Szegedy 2015), which
            took its place in later networks, bears larger learning rates.
        units: Width of each of the two hidden layers; the paper's is 4,096.
        dropout: Share of units that are switched off in training, in each hidden layer.
    """

    kind: Literal["alexnet"] = "alexnet"
    image_size: int = Field(default=227, ge=LEAST_SIZE)
    normalisation: Literal["local_response", "batch"] = "local_response"
    units: int = Field(default=4096, ge=1)
    dropout: float = Field(default=0.5, ge=0, lt=1)

    NORMALISED: ClassVar[tuple[int, int]] = (0, 1)  # the convolutions that the paper normalises

    def build_base(self) -> "keras.Model":
        """(n, size, size, 3) pixels from 0 to 255, to (n, features)."""
        import keras
        from keras import layers

        pixels = keras.Input((self.image_size, self.image_size, 3))
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

    def build_head(self, features: int, classes: int) -> "keras.Model":
        """(n, features) to (n, classes) probabilities."""
        import keras
        from keras import layers

        return keras.Sequential(
            [
                keras.Input((features,)),
                layers.Dense(self.units, "relu", kernel_initializer=_normal(), bias_initializer="ones"),
                layers.Dropout(self.dropout),
                layers.Dense(self.units, "relu", kernel_initializer=_normal(), bias_initializer="ones"),
                layers.Dropout(self.dropout),
                layers.Dense(classes, "softmax", kernel_initializer=_normal()),
            ],
            name="head",
        )

    def _normalise(self, x: "keras.KerasTensor") -> "keras.KerasTensor":
        from keras import layers

        return local_response(x) if self.normalisation == "local_response" else layers.BatchNormalization()(x)


def _normal():
    """The paper's distribution; one for each layer, as one that is used twice draws the same numbers twice."""
    import keras

    return keras.initializers.RandomNormal(stddev=DEVIATION)


def _convolve(x, filters: int, width: int, bias: float, strides: int = 1, padding: str = "same"):
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


def local_response(x, neighbours: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75):
    """Divide each activity by a sum over the same place in neighbouring channels (section 3.3).

    Args:
        x: (n, height, width, channels).
        neighbours: Channels in the sum, itself among them.
        k: Added to the sum.
        alpha: Weight of the sum.
        beta: Power of the divisor.
    """
    from keras import ops

    channels = np.arange(x.shape[-1])
    near = np.abs(channels[:, None] - channels) <= neighbours // 2
    total = ops.matmul(ops.square(x), near.astype(np.float32))  # several times faster than sums of slices
    return x * ops.power(k + alpha * total, -beta)
