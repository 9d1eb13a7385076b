"""Keras models applied to any number of items, so that no output depends on how many there are."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

# Images that are predicted at once: at most BATCH, and at most so many pixels.
BATCH, PIXELS = 16, 4 * 256**2


def features_of(base: "keras.Model", images: Iterable[np.ndarray]) -> np.ndarray:
    """(size, size, 3) uint8 images to (n, features) float32, held in memory a batch at a time."""
    return in_batches(base, images, batch_size(base.input_shape[1]))


def batch_size(image_size: int) -> int:
    """How many images of so many pixels a side are predicted at once: a power of two from 1 to `BATCH`.

    The last digits of an output depend on the size of the batch, so that a model has one size, and a
    smaller batch is filled up. A single image then costs as much as a whole batch: batches are small.
    Larger ones are hardly faster on a CPU, but for small images.
    """
    size = BATCH
    while size > 1 and size * image_size**2 > PIXELS:
        size //= 2
    return size


def in_batches(model: "keras.Model", items: Iterable[np.ndarray], size: int) -> np.ndarray:
    """Apply a model to items in batches of one size, so that no output depends on how many there are.

    Threads may share a model.

    Args:
        model: Items to (n, width) float32.
        items: Arrays of one shape.
        size: Items in a batch; the last one is filled up.

    Returns:
        (n, width) float32; (0, width) of no items.
    """
    outputs = [_apply(model, np.stack(batch), size) for batch in _batched(iter(items), size)]
    return np.concatenate([np.empty((0, model.output_shape[-1]), np.float32), *outputs])


def _batched(items: Iterator[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    while batch := list(islice(items, size)):
        yield batch


def _apply(model: "keras.Model", batch: np.ndarray, size: int) -> np.ndarray:
    missing = size - len(batch)
    full = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)]).astype(np.float32)
    return np.asarray(model.predict_on_batch(full))[: len(batch)]
