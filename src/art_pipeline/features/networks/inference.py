"""Prediction in batches of a fixed size, so that the output for an item does not depend on the number of items.

A server computes few images at a time. They are padded to a smaller batch if it gives the same bytes, which is compared
once per network: TensorFlow on a CPU has the same bytes in batches of two and more, but not of one, as it computes the
1x1 convolutions of a single image by other products.
"""

import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

# Images per batch: at most BATCH, and at most so many pixels.
BATCH, PIXELS = 16, 4 * 256**2
LEAST = 2  # images of a smaller batch
IMAGE_DIMENSIONS = 4  # of a batch of images

# Whether a network gives the same bytes in a smaller batch, by its size; without a size until it was compared.
_same: "WeakKeyDictionary[keras.Model, dict[int, bool]]" = WeakKeyDictionary()
_comparing = threading.Lock()


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
    padded = size if batch.ndim < IMAGE_DIMENSIONS else _padded_size(model, batch, size)
    full = np.concatenate([batch, np.repeat(batch[-1:], padded - len(batch), axis=0)]).astype(np.float32)
    return np.asarray(model.predict_on_batch(full))[: len(batch)]


def _padded_size(model: "keras.Model", batch: NDArray[Any], size: int) -> int:
    """Return the size to which a batch of images is padded: a smaller one with the same bytes, or ``size``.

    The first batch that could be smaller is not: a command that predicts once would wait for the comparison.
    """
    smaller = max(LEAST, 1 << (len(batch) - 1).bit_length())
    if smaller >= size:
        return size
    with _comparing:
        if model not in _same:
            _same[model] = {}
            return size
        if smaller not in _same[model]:
            _same[model][smaller] = _has_same_bytes(model, batch.shape[1:], smaller, size)
        return smaller if _same[model][smaller] else size


def _has_same_bytes(model: "keras.Model", shape: tuple[int, ...], smaller: int, size: int) -> bool:
    """Return whether images of noise have the same outputs in batches of two sizes: sums depend on shapes only."""
    noise = np.random.default_rng(0).uniform(0, 255, (size, *shape)).astype(np.float32)
    outputs = [np.asarray(model.predict_on_batch(noise[:count])) for count in (smaller, size)]
    return np.array_equal(outputs[0], outputs[1][:smaller])
