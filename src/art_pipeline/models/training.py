"""Train a network: epochs with a stop by the validation loss, checkpoints, and progress.

Imports Keras: `art_pipeline.compute.prepare_keras` comes first.
"""

import json
import logging
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import pandas as pd

from art_pipeline.concurrency import cpu_count
from art_pipeline.errors import ModelError
from art_pipeline.models.network import TrainingOptions
from art_pipeline.progress import SECONDS_BETWEEN_LINES, duration
from art_pipeline.storage import write_atomically

log = logging.getLogger(__name__)

METRICS = ("loss", "accuracy", "top_5_accuracy", "precision", "recall", "auc")
TOP = 5
STATE = "state.json"


class Inputs(Protocol):
    """What a network is fed with: pictures or features, taken by their positions."""

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
        seed: Every epoch has an order of its own, drawn from this seed and the epoch's number;
            None for the order as it is.
    """

    def __init__(
        self,
        inputs: Inputs,
        targets: np.ndarray,
        classes: int,
        batch: int,
        *,
        weights: np.ndarray | None = None,
        seed: int | None = None,
    ):
        super().__init__(workers=cpu_count() + 1, max_queue_size=2 * cpu_count())
        self._inputs, self._targets, self._weights = inputs, targets, weights
        self._one_hot, self._batch = np.eye(classes, dtype=np.float32), batch
        self._seed = seed
        self.start_with(0)

    def __len__(self) -> int:
        return math.ceil(len(self._inputs) / self._batch)

    def __getitem__(self, number: int) -> tuple[np.ndarray, ...]:
        positions = self._order[number * self._batch : (number + 1) * self._batch]
        targets = self._targets[positions]
        batch = (self._inputs[positions], self._one_hot[targets])
        return batch if self._weights is None else (*batch, self._weights[targets])

    def on_epoch_end(self) -> None:
        """Put the inputs into the order of the next epoch."""
        self.start_with(self._epoch + 1)

    def start_with(self, epoch: int) -> None:
        """Put the inputs into the order of an epoch, numbered from 0."""
        self._epoch = epoch
        self._order = self._shuffled()

    def _shuffled(self) -> np.ndarray:
        if self._seed is None:
            return np.arange(len(self._inputs))
        return np.random.default_rng([self._seed, self._epoch]).permutation(len(self._inputs))


@dataclass
class Course:
    """How a training went so far.

    Attributes:
        rows: Of each epoch, its number from 1, and `METRICS` in training and, with ``val_``, in
            validation.
    """

    rows: list[dict[str, float]] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Epochs that are done."""
        return len(self.rows)

    @property
    def best(self) -> dict[str, float]:
        """The epoch of the lowest validation loss; of equals, the first."""
        return min(self.rows, key=lambda row: row["val_loss"])

    def is_over(self, options: TrainingOptions) -> bool:
        """Whether all epochs are done, or the last ones brought nothing."""
        if not self.rows:
            return False
        return self.epochs >= options.epochs or self.epochs - self.best["epoch"] >= options.patience

    def table(self) -> pd.DataFrame:
        """The rows as a table."""
        columns = ["epoch", *METRICS, *(f"val_{name}" for name in METRICS)]
        return pd.DataFrame(self.rows, columns=columns).astype({"epoch": np.int64})


class Checkpoint:
    """A folder with the state after an epoch and the best weights, so that a training can go on.

    Args:
        folder: Need not be there.
        fingerprint: Of all that the training depends on; a state under another one is discarded.
    """

    def __init__(self, folder: Path, fingerprint: str):
        self._folder, self._fingerprint = folder, fingerprint

    def save(self, model: keras.Model, course: Course) -> None:
        """Keep the state after an epoch: weights, optimiser, and random streams."""
        self._folder.mkdir(parents=True, exist_ok=True)
        model.save_weights(self.weights_after(course.epochs))
        random = [np.asarray(one).tolist() for one in _random_states(model)]
        state = {"fingerprint": self._fingerprint, "rows": course.rows, "random": random}
        write_atomically(self._folder / STATE, json.dumps(state).encode())
        wanted = {self.weights_after(course.epochs), self.weights_after(course.best["epoch"])}
        for file in set(self._folder.glob("*.weights.h5")) - wanted:
            file.unlink()

    def weights_after(self, epoch: float) -> Path:
        """The file of the weights after an epoch."""
        return self._folder / f"epoch-{int(epoch)}.weights.h5"

    def resume(self, model: keras.Model, options: TrainingOptions) -> Course:
        """Bring a model to the last kept state; one that is of no use is removed.

        Returns:
            The epochs that are done; none where the training has to start.
        """
        course, random = self._read()
        if not 0 < course.epochs <= options.epochs or not self._restore(model, course, random):
            self.remove()
            return Course()
        log.info("Going on after epoch %d, where this training was interrupted.", course.epochs)
        return course

    def kept(self) -> Course:
        """The epochs after the last of which the state is kept."""
        return self._read()[0]

    def remove(self) -> None:
        """Forget all."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _restore(self, model: keras.Model, course: Course, random: list) -> bool:
        """Bring a model to the state; whether its files could be read."""
        try:
            for epoch in (course.best["epoch"], course.epochs):  # the best will be needed in the end
                model.load_weights(self.weights_after(epoch))
        except OSError:  # not there, or cut off
            return False
        for variable, value in zip(_random_states(model), random, strict=True):
            variable.assign(np.array(value, np.uint32))
        return True

    def _read(self) -> tuple[Course, list]:
        """What is kept under our fingerprint, and the states of random streams."""
        try:
            state = json.loads((self._folder / STATE).read_text())
            fits = state["fingerprint"] == self._fingerprint
            return Course(state["rows"] if fits else []), state["random"]
        except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged
            return Course(), []


def _random_states(model: keras.Model) -> list[keras.Variable]:
    """The states of dropout's random streams, which Keras does not count among the weights."""
    return [one for one in model.variables if one.name == "seed_generator_state"]


def train(
    model: keras.Model, training: Batches, validation: Batches, options: TrainingOptions, checkpoint: Checkpoint
) -> Course:
    """Train a network until its validation loss no longer falls, and give it the best epoch's weights.

    Categorical cross-entropy and Adam. An interrupted training goes on from its checkpoint, and
    ends with the weights that it would have had.

    Args:
        model: Inputs to probabilities, with the weights that it starts with; changed in place.
        training: What it learns from.
        validation: What decides when it stops.
        options: Epochs, patience, optimiser.
        checkpoint: Where the state is kept meanwhile; the best weights stay there after Ctrl-C.

    Raises:
        ModelError: The loss is no longer a number.
    """
    compile_model(model, options)
    course = checkpoint.resume(model, options)
    training.start_with(course.epochs)
    try:
        if not course.is_over(options):
            _fit(model, training, validation, options, _Epochs(course, options, checkpoint))
    except KeyboardInterrupt:
        _tell_what_is_kept(course.epochs, checkpoint.kept(), checkpoint)
        raise
    model.load_weights(checkpoint.weights_after(course.best["epoch"]))
    return course


def compile_model(model: keras.Model, options: TrainingOptions) -> None:
    """Give a network its loss, its optimiser, and the metrics of every epoch.

    Precision, recall and AUC are over all pairs of picture and class (micro averages): a class
    counts as predicted from a probability of a half, and AUC is that of the ROC curve.
    """
    adam = keras.optimizers.Adam(**options.adam.model_dump())
    metrics = [
        keras.metrics.CategoricalAccuracy(name="accuracy"),
        keras.metrics.TopKCategoricalAccuracy(min(TOP, model.output_shape[-1]), name="top_5_accuracy"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
        keras.metrics.AUC(name="auc"),
    ]
    jit_compile = keras.backend.backend() == "jax"
    model.compile(adam, "categorical_crossentropy", metrics=metrics, jit_compile=jit_compile)
    adam.build(model.trainable_variables)  # so that a checkpoint can be loaded before the first step


def _fit(
    model: keras.Model, training: Batches, validation: Batches, options: TrainingOptions, epochs: "_Epochs"
) -> None:
    model.fit(
        training,
        validation_data=validation,
        initial_epoch=epochs.course.epochs,
        epochs=options.epochs,
        callbacks=[epochs],
        shuffle=False,  # they come in the order of the epoch
        verbose=0,
    )


def _tell_what_is_kept(done: int, kept: Course, checkpoint: Checkpoint) -> None:
    if not kept.rows:
        log.warning("Stopped in the first epoch: nothing is kept of this training.")
        return
    best = int(kept.best["epoch"])
    log.warning(
        "Stopped after epoch %d. The best weights so far, of epoch %d (validation loss %.3f), are kept in %s. The same "
        "command goes on from there; with training.epochs set to %d it takes them as the result.",
        done,
        best,
        kept.best["val_loss"],
        checkpoint.weights_after(best),
        done,
    )


class _Epochs(keras.callbacks.Callback):
    """Notes how training goes, keeps checkpoints, tells a person, and stops."""

    def __init__(self, course: Course, options: TrainingOptions, checkpoint: Checkpoint):
        super().__init__()
        self.course = course
        self._options, self._checkpoint = options, checkpoint
        self._resumed_at = course.epochs
        self._started = self._epoch_started = self._told = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002 - Keras'
        self._epoch_started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float]) -> None:
        self._require_number(logs["loss"], f"in step {batch + 1}")
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            left = (now - self._epoch_started) / (batch + 1) * (self.params["steps"] - batch - 1)
            epoch, steps = self.course.epochs + 1, self.params["steps"]
            told = (epoch, batch + 1, steps, logs["loss"], logs["accuracy"], duration(left))
            log.info("Epoch %d, step %d of %d: loss %.3f, accuracy %.3f, %s left of the epoch", *told)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        self._require_number(logs["val_loss"], "on the validation pictures")
        names = [*METRICS, *(f"val_{name}" for name in METRICS)]
        self.course.rows.append({"epoch": epoch + 1, **{name: float(logs[name]) for name in names}})
        if self.course.best["epoch"] == epoch + 1 or (epoch + 1) % self._options.checkpoint_every == 0:
            self._checkpoint.save(self.model, self.course)
        self.model.stop_training = self.course.is_over(self._options)
        self._tell()

    def _require_number(self, loss: float, where: str) -> None:
        if not math.isfinite(loss):
            raise ModelError(
                f"The loss became {loss} in epoch {self.course.epochs + 1}, {where}. Lower "
                f"training.adam.learning_rate, which is {self._options.adam.learning_rate:g}."
            )

    def _tell(self) -> None:
        row, done = self.course.rows[-1], self.course.epochs
        self._told = now = time.monotonic()
        left = (now - self._started) / (done - self._resumed_at) * (self._options.epochs - done)
        log.info(
            "Epoch %d of %d: loss %.3f, accuracy %.3f; validation %.3f, %.3f; %s. Best so far: epoch %d. %s",
            done,
            self._options.epochs,
            *(row[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")),
            duration(now - self._epoch_started),
            self.course.best["epoch"],
            "Done." if self.course.is_over(self._options) else f"At most {duration(left)} left.",
        )
