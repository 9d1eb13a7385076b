"""Gradients of class scores with respect to feature maps, on each backend of Keras."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import ModelError

Maps = NDArray[np.float32]
Scores = Callable[..., Any]  # maps and further tensors of the backend to (n, classes) scores
Gradients = Callable[..., tuple[NDArray[np.float32], Maps]]


def compile_gradients(scores: Scores) -> Gradients:
    """Return a function for the scores of chosen classes' gradients, compiled where the backend compiles.

    Args:
        scores: Function of (n, height, width, channels) maps, and of any further tensors, to (n, classes) scores. The
            scores of an item depend on no other item.

    Returns:
        Function of ``chosen``, (n,) indices of classes, of the maps and the further arrays. It returns the scores,
        and the gradients of the chosen ones with respect to the maps, of their shape.

    Raises:
        ModelError: The backend of Keras has no gradients.
    """
    import keras

    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise ModelError(f"The Keras backend {backend!r} computes no gradients: use tensorflow, torch or jax.")
    return _BACKENDS[backend](scores)


def _tensorflow(scores: Scores) -> Gradients:
    import tensorflow as tf

    def run(chosen: Any, maps: Any, *more: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(maps)
            found = scores(maps, *more)
            total = tf.reduce_sum(found * tf.one_hot(chosen, found.shape[-1]))
        return found, tape.gradient(total, maps)

    compiled = tf.function(run, reduce_retracing=True)

    def gradients(chosen: NDArray[np.intp], *arrays: Any) -> tuple[NDArray[np.float32], Maps]:
        found, slopes = compiled(tf.constant(chosen, tf.int32), *(tf.constant(one, tf.float32) for one in arrays))
        return found.numpy(), slopes.numpy()

    return gradients


def _jax(scores: Scores) -> Gradients:
    import jax

    def total(maps: Any, chosen: Any, *more: Any) -> Any:
        found = scores(maps, *more)
        return (found * jax.nn.one_hot(chosen, found.shape[-1])).sum(), found

    run = jax.jit(jax.grad(total, has_aux=True))

    def gradients(chosen: NDArray[np.intp], maps: Any, *more: Any) -> tuple[NDArray[np.float32], Maps]:
        slopes, found = run(np.float32(maps), chosen, *(np.float32(one) for one in more))
        return np.asarray(found), np.asarray(slopes)

    return gradients


def _torch(scores: Scores) -> Gradients:
    import torch
    from keras.ops import convert_to_numpy, convert_to_tensor

    def gradients(chosen: NDArray[np.intp], maps: Any, *more: Any) -> tuple[NDArray[np.float32], Maps]:
        with torch.enable_grad():
            watched = convert_to_tensor(np.float32(maps)).detach().requires_grad_()
            found = scores(watched, *(convert_to_tensor(np.float32(one)) for one in more))
            total = found[np.arange(len(chosen)), chosen].sum()
            (slopes,) = torch.autograd.grad(total, watched)
        return convert_to_numpy(found), convert_to_numpy(slopes)

    return gradients


_BACKENDS: dict[str, Callable[[Scores], Gradients]] = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
