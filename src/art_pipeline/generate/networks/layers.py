"""Layers of light generators and discriminators. Imports Keras: call ``prepare_keras`` first."""

from typing import Any

import keras
from keras import layers, ops

SMALLEST = 4  # side of the first map of a generator, in pixels
LEAK = 0.2


class SpectralConv2D(layers.Conv2D):  # type: ignore[misc]  # Keras has no types
    """A convolution whose kernel is divided by its largest singular value.

    The value is estimated by one power iteration per training step (Miyato et al. 2018, "Spectral normalization for
    generative adversarial networks"). Keras' own wrapper overwrites the kernel and stops its gradient.
    """

    def build(self, input_shape: Any) -> None:
        """Create the weights, and the left singular vector."""
        super().build(input_shape)
        self.vector = self.add_weight(
            name="vector", shape=(1, self.filters), initializer="random_normal", trainable=False
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Apply the normalised kernel; the singular vector changes in training only."""
        matrix = ops.stop_gradient(ops.reshape(ops.convert_to_tensor(self.kernel), (-1, self.filters)))
        right = _unit(ops.matmul(ops.convert_to_tensor(self.vector), ops.transpose(matrix)))
        left = _unit(ops.matmul(right, matrix))
        if training:
            self.vector.assign(left)
        mapped = ops.matmul(right, ops.reshape(ops.convert_to_tensor(self.kernel), (-1, self.filters)))
        outputs = ops.conv(
            inputs,
            ops.convert_to_tensor(self.kernel) / (ops.sum(mapped * left) + keras.config.epsilon()),
            strides=self.strides,
            padding=self.padding,
        )
        return outputs + ops.convert_to_tensor(self.bias) if self.use_bias else outputs


def _unit(vector: Any) -> Any:
    return vector / (ops.norm(vector) + keras.config.epsilon())


def convolve(maps: Any, channels: int, kernel: int = 3, stride: int = 1, padding: str = "same") -> Any:
    """Apply a spectrally normalised convolution without bias."""
    return SpectralConv2D(channels, kernel, stride, padding, use_bias=False)(maps)


def normalise(maps: Any) -> Any:
    """Apply batch normalisation with the momentum of PyTorch, in which GANs are usually written."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(maps)


def gate(maps: Any) -> Any:
    """Multiply one half of the channels by the sigmoid of the other (gated linear unit, Dauphin et al. 2017)."""
    values, gates = ops.split(maps, 2, axis=-1)
    return values * ops.sigmoid(gates)


def grow(maps: Any, channels: int) -> Any:
    """Double the sides by nearest neighbours, and convolve."""
    return gate(normalise(convolve(layers.UpSampling2D()(maps), 2 * channels)))


def excite(small: Any, large: Any) -> Any:
    """Scale the channels of a large map by weights that a small map gives: skip-layer excitation (Liu et al. 2021).

    Args:
        small: (n, side, side, channels) of at least 4 by 4 pixels.
        large: (n, height, width, channels of the result).
    """
    pooled = layers.AveragePooling2D(small.shape[1] // SMALLEST)(small)
    hidden = layers.Activation("swish")(convolve(pooled, large.shape[-1], SMALLEST, padding="valid"))
    return large * layers.Activation("sigmoid")(convolve(hidden, large.shape[-1], 1))


def leak(maps: Any) -> Any:
    """Apply a leaky rectifier."""
    return layers.LeakyReLU(negative_slope=LEAK)(maps)


def channels_at(side: int, size: int, width: int, most: int) -> int:
    """Return the channels of a map: ``width`` at the full size, twice as many at half of it, up to ``most`` times.

    >>> [channels_at(side, 64, 16, 16) for side in (64, 32, 4)]
    [16, 32, 256]
    """
    return width * min(most, size // side)
