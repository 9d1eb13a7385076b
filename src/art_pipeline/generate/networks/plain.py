"""A plain GAN: transposed convolutions against convolutions, as in Golara's study of painting genres (Stanford CS230).

The study gives no more than generator, discriminator, and cross-entropy as the loss of both. The rest follows Radford
et al. 2016, "Unsupervised representation learning with deep convolutional generative adversarial networks".

Imports Keras: call ``prepare_keras`` first.
"""

import keras
from keras import layers

from art_pipeline.generate.networks.layers import SMALLEST, channels_at, leak, normalise

MOST = 16


def build_generator(size: int, noise: int, width: int) -> keras.Model:
    """Build a network from (n, noise) to (n, size, size, 3) float32 pixels from -1 to 1."""
    vector = keras.Input((noise,))
    side, channels = SMALLEST, channels_at(SMALLEST, size, width, MOST)
    maps = layers.Dense(side * side * channels, use_bias=False, kernel_initializer=_initial())(vector)
    maps = layers.ReLU()(normalise(layers.Reshape((side, side, channels))(maps)))
    while side < size // 2:
        side *= 2
        channels = channels_at(side, size, width, MOST)
        kernel = {"use_bias": False, "kernel_initializer": _initial()}
        maps = layers.Conv2DTranspose(channels, 4, 2, "same", **kernel)(maps)
        maps = layers.ReLU()(normalise(maps))
    last = layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh", kernel_initializer=_initial())(maps)
    return keras.Model(vector, last, name="generator")


def build_discriminator(size: int, width: int) -> keras.Model:
    """Build a network from (n, size, size, 3) pixels from -1 to 1 to a list of (n, 1, 1, 1) logits."""
    image = keras.Input((size, size, 3))
    maps, side = image, size
    while side > SMALLEST:
        side //= 2
        channels = channels_at(side, size, width, MOST)
        maps = layers.Conv2D(channels, 4, 2, "same", use_bias=False, kernel_initializer=_initial())(maps)
        maps = leak(maps if side == size // 2 else normalise(maps))
    logits = layers.Conv2D(1, SMALLEST, kernel_initializer=_initial())(maps)
    return keras.Model(image, [logits], name="judge")


def _initial() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)
