"""Batches of images or features.

Imports Keras: call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

import math
from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.concurrency import cpu_count
from art_pipeline.models.targets import Targets, as_flags, is_multilabel
from art_pipeline.models.training.class_weights import balanced_positions


class Inputs(Protocol):
    """Images or features, indexed by their positions."""

    def __len__(self) -> int: ...

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[Any]: ...


Augment = Callable[[NDArray[Any], Any], NDArray[Any]]  # of an input, with a random generator or None


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """Batches of inputs and of (n, classes) float32 targets, prepared by threads ahead of the network.

    Args:
        inputs: n inputs.
        targets: (n,) indices of classes; or (n, classes) bool of a multi-label task.
        classes: Number of classes.
        batch_size: Inputs per batch; the last batch of an epoch may be smaller.
        weights: (classes,) weight of the images of each class, or (2, classes) weights of the absence and of the
            presence of each label; None for none.
        augment: Function of an input and a random generator, seeded by epoch and input, that returns an augmented
            input; None for none. Without a seed, the generator is None.
        seed: Seed by which inputs are shuffled in each epoch; None for no shuffling.
        balanced: Whether all classes are as frequent in an epoch of as many inputs; needs a seed.

    Attributes:
        targets: As given.
    """

    def __init__(  # noqa: PLR0913 - parts of an epoch
        self,
        inputs: Inputs,
        targets: Targets,
        classes: int,
        batch_size: int,
        *,
        weights: NDArray[Any] | None = None,
        augment: Augment | None = None,
        seed: int | None = None,
        balanced: bool = False,
    ):
        super().__init__(workers=cpu_count() + 1, max_queue_size=2 * cpu_count())
        self._inputs, self.targets, self._weights = inputs, targets, weights
        self._classes, self._batch_size = classes, batch_size
        self._augment, self._seed, self._balanced = augment, seed, balanced
        self.start_with(0)

    def __len__(self) -> int:
        return math.ceil(len(self._inputs) / self._batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[Any], ...]:
        positions = self._order[number * self._batch_size : (number + 1) * self._batch_size]
        targets = self.targets[positions]
        batch = (self._augmented(positions), as_flags(targets, self._classes).astype(np.float32))
        return batch if self._weights is None else (*batch, self._weights_of(targets))

    def on_epoch_end(self) -> None:
        """Shuffle the inputs for the next epoch."""
        self.start_with(self._epoch + 1)

    def start_with(self, epoch: int) -> None:
        """Shuffle the inputs for an epoch, numbered from 0."""
        self._epoch = epoch
        self._order = self._shuffled()

    def _weights_of(self, targets: Targets) -> NDArray[Any]:
        """Return the (n,) weights of images, or the (n, classes) weights of pairs of image and label."""
        assert self._weights is not None
        return np.where(targets, *self._weights[::-1]) if is_multilabel(targets) else self._weights[targets]

    def _augmented(self, positions: NDArray[Any]) -> NDArray[Any]:
        inputs = self._inputs[positions]
        if self._augment is None:
            return inputs
        generators = map(self._generator, positions)
        return np.stack([self._augment(*one) for one in zip(inputs, generators, strict=True)])

    def _generator(self, position: int) -> np.random.Generator | None:
        return None if self._seed is None else np.random.default_rng([self._seed, self._epoch, position])

    def _shuffled(self) -> NDArray[Any]:
        if self._seed is None:
            return np.arange(len(self._inputs))
        generator = np.random.default_rng([self._seed, self._epoch])
        return (
            balanced_positions(self.targets, generator) if self._balanced else generator.permutation(len(self._inputs))
        )
