"""Weights and sampling by the sizes of classes."""

import math

import numpy as np
from numpy.typing import NDArray

from art_pipeline.models.targets import Targets, is_multilabel


def class_weights(targets: Targets, how: str | None) -> NDArray[np.float32] | None:
    """Return weights that are inverse to class sizes or to their square roots, with mean 1 over the images.

    Those of a multi-class task are (classes,); those of a multi-label task (2, classes): of the images without each
    label, and of those with it.
    """
    if not how:
        return None
    if not is_multilabel(targets):
        return _inverse(np.bincount(targets), how)
    return np.stack([_inverse(np.bincount(label, minlength=2), how) for label in targets.T], axis=1)


def _inverse(counts: NDArray[np.intp], how: str) -> NDArray[np.float32]:
    weights = np.maximum(counts, 1) ** (-1.0 if how == "balanced" else -0.5)
    normalised: NDArray[np.float32] = (weights * counts.sum() / (weights @ counts)).astype(np.float32)
    return normalised


def balanced_positions(targets: Targets, generator: np.random.Generator) -> NDArray[np.intp]:
    """Draw as many positions as there are images, with classes as frequent as can be.

    Args:
        targets: (n,) indices of classes.
        generator: Random generator.

    Returns:
        (n,) positions, in random order; within a class, none occurs twice more often than another one.

    >>> targets = np.array([0, 0, 0, 0, 0, 1])
    >>> np.bincount(targets[balanced_positions(targets, np.random.default_rng(0))]).tolist()
    [3, 3]
    """
    classes = generator.permutation(np.unique(targets))
    sizes = [len(targets) // len(classes) + (one < len(targets) % len(classes)) for one in range(len(classes))]
    drawn = []
    for one, size in zip(classes, sizes, strict=True):
        own = np.flatnonzero(targets == one)
        rounds = [generator.permutation(own) for _ in range(math.ceil(size / len(own)))]
        drawn += [np.concatenate(rounds)[:size]] if rounds else []
    return generator.permutation(np.concatenate(drawn))
