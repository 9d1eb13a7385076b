"""Random changes of images that gradients pass through.

Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training": the same changes for real and for
generated images, also where the generator learns. Random numbers are arguments. Imports Keras.
"""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from art_pipeline.generate.options import Change

# Columns of random numbers from 0 to 1 that each change uses.
NUMBERS: dict[str, slice] = {"colour": slice(0, 3), "translation": slice(3, 5), "cutout": slice(5, 7)}
COLUMNS = 7
SHIFT = 1 / 8  # of the sides
HOLE = 1 / 2


def augment(images: Any, random: Any, changes: Sequence[Change]) -> Any:
    """Change images at random.

    Args:
        images: (n, size, size, 3) pixels from -1 to 1.
        random: (n, `COLUMNS`) float32 random numbers from 0 to 1.
        changes: Names of changes, applied in the order ``colour``, ``translation``, ``cutout``.

    Returns:
        Images of the same shape; colours may leave the range.
    """
    for name, change in _CHANGES.items():
        if name in changes:
            images = change(images, random[:, NUMBERS[name]])
    return images


def _change_colour(images: Any, random: Any) -> Any:
    """Add brightness from -0.5 to 0.5; scale saturation from 0 to 2 and contrast from 0.5 to 1.5."""
    brightness, saturation, contrast = (ops.reshape(random[:, one], (-1, 1, 1, 1)) for one in range(3))
    images = images + brightness - 0.5
    grey = ops.mean(images, axis=3, keepdims=True)
    images = (images - grey) * (2 * saturation) + grey
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) * (contrast + 0.5) + mean


def _translate(images: Any, random: Any) -> Any:
    """Shift by up to an eighth of the sides; the uncovered area is 0, which is grey."""
    for axis in (0, 1):
        images = _shift(images, random[:, axis], axis)
    return images


def _shift(images: Any, random: Any, axis: int) -> Any:
    """Shift rows (axis 0) or columns (axis 1) by whole pixels, as a product with a matrix of zeros and ones."""
    size = images.shape[1]
    most = int(size * SHIFT + 0.5)
    shifts = ops.floor(random * (2 * most + 1)) - most
    position = ops.arange(size, dtype="float32")
    difference = ops.reshape(position, (1, size, 1)) - ops.reshape(position, (1, 1, size))
    taken = ops.cast(ops.equal(difference, ops.reshape(shifts, (-1, 1, 1))), "float32")
    return ops.einsum("nij,njkc->nikc" if axis == 0 else "nij,nkjc->nkic", taken, images)


def _cut_out(images: Any, random: Any) -> Any:
    """Set a square with half the sides to 0."""
    size = images.shape[1]
    position = ops.reshape(ops.arange(size, dtype="float32"), (1, size))
    inside = [ops.abs(position - ops.floor(random[:, axis : axis + 1] * size)) < size * HOLE / 2 for axis in (0, 1)]
    hole = ops.logical_and(ops.expand_dims(inside[0], 2), ops.expand_dims(inside[1], 1))
    return images * ops.expand_dims(1 - ops.cast(hole, "float32"), 3)


_CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "colour": _change_colour,
    "translation": _translate,
    "cutout": _cut_out,
}
