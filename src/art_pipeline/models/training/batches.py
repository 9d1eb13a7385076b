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


class Inputs(Protocol):
    """Images or features, indexed by their positions."""

    def __len__(self) -> int: ...

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[Any]: ...


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """Batches of inputs and one-hot labels, prepared by threads ahead of the network.

    Args:
        inputs: n inputs.
        targets: (n,) indices of classes.
        classes: Number of classes.
        batch_size: Inputs per batch; the last batch of an epoch may be smaller.
        weights: (classes,) sample weight of each class; None for none.
        augment: Function of an input and a random generator, seeded by epoch and input, that returns an
            augmented input of the same shape; None for none. Requires a seed.
        seed: Seed by which inputs are shuffled in each epoch; None for no shuffling.

    Attributes:
        targets: As given.
    """

    def __init__(  # noqa: PLR0913 - parts of an epoch
        self,
        inputs: Inputs,
        targets: NDArray[Any],
        classes: int,
        batch_size: int,
        *,
        weights: NDArray[Any] | None = None,
        augment: Callable[[NDArray[Any], np.random.Generator], NDArray[Any]] | None = None,
        seed: int | None = None,
    ):
        super().__init__(workers=cpu_count() + 1, max_queue_size=2 * cpu_count())
        self._inputs, self.targets, self._weights = inputs, targets, weights
        self._one_hot, self._batch_size = np.eye(classes, dtype=np.float32), batch_size
        self._augment, self._seed = augment, seed
        self.start_with(0)

    def __len__(self) -> int:
        return math.ceil(len(self._inputs) / self._batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[Any], ...]:
        positions = self._order[number * self._batch_size : (number + 1) * self._batch_size]
        targets = self.targets[positions]
        batch = (self._augmented(positions), self._one_hot[targets])
        return batch if self._weights is None else (*batch, self._weights[targets])

    def on_epoch_end(self) -> None:
        """Shuffle the inputs for the next epoch."""
        self.start_with(self._epoch + 1)

    def start_with(self, epoch: int) -> None:
        """Shuffle the inputs for an epoch, numbered from 0."""
        self._epoch = epoch
        self._order = self._shuffled()

    def _augmented(self, positions: NDArray[Any]) -> NDArray[Any]:
        inputs = self._inputs[positions]
        if self._augment is None:
            return inputs
        generators = (np.random.default_rng([self._seed, self._epoch, position]) for position in positions)
        return np.stack([self._augment(*one) for one in zip(inputs, generators, strict=True)])

    def _shuffled(self) -> NDArray[Any]:
        if self._seed is None:
            return np.arange(len(self._inputs))
        return np.random.default_rng([self._seed, self._epoch]).permutation(len(self._inputs))
