"""Statistics of feature maps over all positions: standard deviations and covariances of channels.

Second-order statistics describe style and texture (Gatys, Ecker & Bethge 2016, "Image style transfer using
convolutional neural networks"; Lin, RoyChowdhury & Maji 2015, "Bilinear CNN models").
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

EPSILON = 1e-12  # under roots


def deviations(maps: "keras.KerasTensor") -> "keras.KerasTensor":
    """Compute the standard deviation of each channel.

    Args:
        maps: (n, height, width, channels).

    Returns:
        (n, channels).
    """
    from keras import ops

    return ops.sqrt(ops.mean(ops.square(_centre(maps)), axis=(1, 2)) + EPSILON)


def covariances(maps: "keras.KerasTensor") -> "keras.KerasTensor":
    """Compute the covariance of each pair of channels, and take signed square roots, against heavy tails.

    Args:
        maps: (n, height, width, channels).

    Returns:
        (n, channels · (channels + 1) / 2): the upper triangle with the diagonal, row by row.
    """
    from keras import layers, ops

    channels = maps.shape[-1]
    rows = layers.Reshape((-1, channels))(_centre(maps))  # a layer, as height and width may be unknown
    # Divided before the product, with which TensorFlow would combine it in another order for images of another size.
    rows = rows / ops.sqrt(ops.sum(ops.ones_like(rows[:, :, :1]), axis=1, keepdims=True))
    products = ops.reshape(ops.matmul(ops.transpose(rows, (0, 2, 1)), rows), (-1, channels * channels))
    upper = np.flatnonzero(np.triu(np.ones((channels, channels), bool)))
    values = ops.take(products, upper, axis=1)
    return ops.sign(values) * ops.sqrt(ops.abs(values))


def _centre(maps: "keras.KerasTensor") -> "keras.KerasTensor":
    from keras import ops

    return maps - ops.mean(maps, axis=(1, 2), keepdims=True)
