"""Prediction in batches of a fixed size, so that the output for an item does not depend on the number of items."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

# Images per batch: at most BATCH, and at most so many pixels.
BATCH, PIXELS = 16, 4 * 256**2


def features_of(base: "keras.Model", images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Return the (n, features) float32 features of (height, width, 3) uint8 images, one batch in memory at a time."""
    return in_batches(base, images, batch_size(*base.input_shape[1:3]))


def batch_size(height: int, width: int) -> int:
    """Return the batch size of prediction for an image size in pixels: a power of two from 1 to `BATCH`.

    The last digits of an output depend on the batch size, so that each model has one batch size, and a smaller
    batch is padded. Batches are small because a single image costs as much as a batch; larger ones are hardly
    faster on a CPU, except for small images.

    >>> batch_size(224, 224), batch_size(299, 299), batch_size(1024, 1024)
    (4, 2, 1)
    """
    size = BATCH
    while size > 1 and size * height * width > PIXELS:
        size //= 2
    return size


def in_batches(model: "keras.Model", items: Iterable[NDArray[Any]], size: int) -> NDArray[np.float32]:
    """Apply a model to items in batches of a fixed size. Thread-safe.

    Args:
        model: Model from a batch of items to (n, width) float32.
        items: Arrays of one shape.
        size: Batch size; the last batch is padded.

    Returns:
        (n, width) float32, where n is the number of items.
    """
    outputs = [_apply(model, np.stack(batch), size) for batch in _batched(iter(items), size)]
    return np.concatenate([np.empty((0, model.output_shape[-1]), np.float32), *outputs])


def _batched(items: Iterator[NDArray[Any]], size: int) -> Iterator[list[NDArray[Any]]]:
    while batch := list(islice(items, size)):
        yield batch


def _apply(model: "keras.Model", batch: NDArray[Any], size: int) -> NDArray[np.float32]:
    missing = size - len(batch)
    full = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)]).astype(np.float32)
    return np.asarray(model.predict_on_batch(full))[: len(batch)]
