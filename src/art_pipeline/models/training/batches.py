"""Batches of training images.

Imports Keras: call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import keras
import numpy as np

from art_pipeline.common.concurrency import cpu_count


class Inputs(Protocol):
    """What a network is fed with: images or features, taken by their positions."""

    def __len__(self) -> int: ...

    def __getitem__(self, positions: Sequence[int]) -> np.ndarray: ...


class Batches(keras.utils.PyDataset):
    """Inputs with their classes in batches, made by threads ahead of the network.

    Args:
        inputs: n of them.
        targets: (n,) positions of classes.
        classes: How many classes there are.
        batch: Inputs in a batch; the last one of an epoch may be smaller.
        weights: (classes,) weight of each class; None for no weights.
        augment: What is done to an input each time: it, and a random stream of the epoch and the
            input, to another of the same shape. None for nothing. Needs a seed.
        seed: Every epoch has an order of its own, drawn from this seed and the epoch's number;
            None for the order as it is.

    Attributes:
        targets: As given.
    """

    def __init__(  # noqa: PLR0913 - what an epoch is made of
        self,
        inputs: Inputs,
        targets: np.ndarray,
        classes: int,
        batch: int,
        *,
        weights: np.ndarray | None = None,
        augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
        seed: int | None = None,
    ):
        super().__init__(workers=cpu_count() + 1, max_queue_size=2 * cpu_count())
        self._inputs, self.targets, self._weights = inputs, targets, weights
        self._one_hot, self._batch = np.eye(classes, dtype=np.float32), batch
        self._augment, self._seed = augment, seed
        self.start_with(0)

    def __len__(self) -> int:
        return math.ceil(len(self._inputs) / self._batch)

    def __getitem__(self, number: int) -> tuple[np.ndarray, ...]:
        positions = self._order[number * self._batch : (number + 1) * self._batch]
        targets = self.targets[positions]
        batch = (self._augmented(positions), self._one_hot[targets])
        return batch if self._weights is None else (*batch, self._weights[targets])

    def on_epoch_end(self) -> None:
        """Put the inputs into the order of the next epoch."""
        self.start_with(self._epoch + 1)

    def start_with(self, epoch: int) -> None:
        """Put the inputs into the order of an epoch, numbered from 0."""
        self._epoch = epoch
        self._order = self._shuffled()

    def _augmented(self, positions: np.ndarray) -> np.ndarray:
        inputs = self._inputs[positions]
        if self._augment is None:
            return inputs
        streams = (np.random.default_rng([self._seed, self._epoch, position]) for position in positions)
        return np.stack([self._augment(*one) for one in zip(inputs, streams, strict=True)])

    def _shuffled(self) -> np.ndarray:
        if self._seed is None:
            return np.arange(len(self._inputs))
        return np.random.default_rng([self._seed, self._epoch]).permutation(len(self._inputs))
