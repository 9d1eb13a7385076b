"""A light generator, and a discriminator that also reconstructs its input.

Liu et al. 2021, "Towards faster and stabilized GAN training for high-fidelity few-shot image synthesis". As there:
skip-layer excitation, gated linear units, spectral normalisation, a discriminator whose features are decoded to the
whole image and to a quarter of it. Otherwise than there: no noise within the generator, the reconstruction is compared
by pixels rather than by a perceptual network, and the discriminator sees one size only.

Imports Keras: call ``prepare_keras`` first.
"""

from typing import Any

import keras
from keras import layers

from art_pipeline.generate.networks.layers import (
    SMALLEST,
    channels_at,
    convolve,
    excite,
    gate,
    grow,
    leak,
    normalise,
)

MOST_GENERATOR, MOST_DISCRIMINATOR = 16, 8
DECODED = 4  # sides of the last map of the discriminator to those of a decoded image


def build_generator(size: int, noise: int, width: int) -> keras.Model:
    """Build a network from (n, noise) to (n, size, size, 3) float32 pixels from -1 to 1."""
    vector = keras.Input((noise,))
    channels = channels_at(SMALLEST, size, width, MOST_GENERATOR)
    first = layers.Reshape((1, 1, noise))(vector)
    first = layers.Conv2DTranspose(2 * channels, SMALLEST, use_bias=False)(first)
    maps = {SMALLEST: gate(normalise(first))}
    side = SMALLEST
    while side < size:
        side *= 2
        grown = grow(maps[side // 2], channels_at(side, size, width, MOST_GENERATOR))
        maps[side] = excite(maps[_source(side, size)], grown) if _is_excited(side, size) else grown
    return keras.Model(vector, layers.Activation("tanh")(convolve(maps[size], 3)), name="generator")


def _is_excited(side: int, size: int) -> bool:
    """The two largest maps are excited by the two smallest, where these are smaller by a factor of four at least."""
    return side >= size // 2 and side >= 4 * _source(side, size)


def _source(side: int, size: int) -> int:
    return SMALLEST * 2 * side // size


def build_discriminator(size: int, width: int) -> keras.Model:
    """Build a network from images to logits of patches, and to the last two maps.

    Returns:
        (n, size, size, 3) pixels from -1 to 1 to a list of (n, 5, 5, 1) logits, or (n, 1, 1, 1) for 16 pixels, and
        the last two maps, the larger one first.
    """
    image = keras.Input((size, size, 3))
    side = size // 2
    maps = leak(convolve(image, channels_at(side, size, width, MOST_DISCRIMINATOR), 4, 2))
    found = [maps]
    last = 2 * SMALLEST if size > 2 * DECODED * 2 else SMALLEST
    while side > last:
        side //= 2
        maps = _shrink(maps, channels_at(side, size, width, MOST_DISCRIMINATOR))
        found.append(maps)
    head = leak(normalise(convolve(maps, 2 * maps.shape[-1], 1)))
    return keras.Model(image, [convolve(head, 1, SMALLEST, padding="valid"), found[-2], found[-1]], name="judge")


def _shrink(maps: Any, channels: int) -> Any:
    """Halve the sides by the mean of two paths: two convolutions, and average pooling with one."""
    deep = leak(normalise(convolve(maps, channels, 4, 2)))
    deep = leak(normalise(convolve(deep, channels)))
    direct = leak(normalise(convolve(layers.AveragePooling2D(2)(maps), channels, 1)))
    return layers.Average()([deep, direct])


def build_decoder(shape: tuple[int, int, int], name: str) -> keras.Model:
    """Build a network from a map of the discriminator to an image four times as large, of pixels from -1 to 1."""
    maps = start = keras.Input(shape)
    for part in (4, 8):
        maps = grow(maps, max(4, shape[-1] // part))
    return keras.Model(start, layers.Activation("tanh")(convolve(maps, 3)), name=name)
