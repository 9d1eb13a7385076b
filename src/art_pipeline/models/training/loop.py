"""Train a network: epochs with a stop by the validation loss, checkpoints, and progress.

Imports Keras: `art_pipeline.common.keras_runtime.prepare_keras` comes first.
"""

import logging
import math
import time
from collections.abc import Mapping

import keras

from art_pipeline.common.progress import SECONDS_BETWEEN_LINES, duration, parameter, stage, titled
from art_pipeline.errors import ModelError
from art_pipeline.models.networks.network import TrainingOptions
from art_pipeline.models.training.batches import Batches
from art_pipeline.models.training.checkpoint import COLUMNS, Checkpoint, Course

log = logging.getLogger(__name__)

TOP = 5
RISING = 0.05  # of all steps, those in which a cosine schedule rises


def train(
    model: keras.Model, training: Batches, validation: Batches | None, options: TrainingOptions, checkpoint: Checkpoint
) -> Course:
    """Train a network until its validation loss no longer falls, and give it the best epoch's weights.

    Categorical cross-entropy and Adam. Without validation, all epochs are done, and the last
    weights stay. An interrupted training goes on from its checkpoint, and
    ends with the weights that it would have had.

    Args:
        model: Inputs to probabilities, with the weights that it starts with; changed in place.
        training: What it learns from.
        validation: What decides when it stops; None for nothing.
        options: Epochs, patience, optimiser.
        checkpoint: Where the state is kept meanwhile; the best weights stay there after Ctrl-C.

    Raises:
        ModelError: The loss is no longer a number.
    """
    compile_model(model, options, steps=len(training))
    course = checkpoint.resume(model, options)
    training.start_with(course.epochs)
    try:
        if not course.is_over(options):
            _fit(model, training, validation, options, _Epochs(course, options, checkpoint))
    except KeyboardInterrupt:
        _tell_what_is_kept(course.epochs, checkpoint, options)
        raise
    model.load_weights(checkpoint.weights_after(course.best["epoch"]))
    return course


def compile_model(model: keras.Model, options: TrainingOptions, steps: int) -> None:
    """Give a network its loss, its optimiser, and the metrics of every epoch.

    Precision, recall and AUC are over all pairs of image and class (micro averages): a class
    counts as predicted from a probability of a half, and AUC is that of the ROC curve.
    """
    adam = keras.optimizers.Adam(**options.adam.model_dump() | {"learning_rate": _step_size(options, steps)})
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    metrics = [
        keras.metrics.CategoricalAccuracy(name="accuracy"),
        keras.metrics.TopKCategoricalAccuracy(min(TOP, model.output_shape[-1]), name="top_5_accuracy"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
        keras.metrics.AUC(name="auc"),
    ]
    jit_compile = keras.backend.backend() == "jax"
    model.compile(adam, loss, metrics=metrics, jit_compile=jit_compile)
    adam.build(model.trainable_variables)  # so that a checkpoint can be loaded before the first step


def _step_size(options: TrainingOptions, steps: int) -> float | keras.optimizers.schedules.CosineDecay:
    """The step size, or its course over all epochs of so many ``steps`` each."""
    rate, total = options.adam.learning_rate, steps * options.epochs
    if options.schedule == "constant":
        return rate
    rising = math.ceil(total * RISING)
    falling = max(total - rising, 1)  # Keras divides by it
    return keras.optimizers.schedules.CosineDecay(0.0, falling, warmup_target=rate, warmup_steps=rising)


def _fit(
    model: keras.Model, training: Batches, validation: Batches | None, options: TrainingOptions, epochs: "_Epochs"
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


def _tell_what_is_kept(done: int, checkpoint: Checkpoint, options: TrainingOptions) -> None:
    kept = checkpoint.kept()
    if not kept.rows:
        log.warning("%s", titled("stopped in the first epoch; nothing is kept of this training."))
        return
    best = int(kept.best["epoch"])
    loss = kept.best.get("val_loss")
    text = f"stopped after epoch {done}. The best weights so far, of epoch {best}"
    text += "" if loss is None else f" (val_loss {loss:.3f})"
    text += f", are kept in {checkpoint.weights_after(best)}. The same command continues from there"
    if options.schedule == "constant":  # with another one, fewer epochs are other steps from the first on
        text += f"; with {parameter('training.epochs')} set to {done} it takes them as the result"
    log.warning("%s.", titled(text))


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
            told = (self._title(epoch), batch + 1, steps, logs["loss"], logs["accuracy"], duration(left))
            log.info("%s, step %d/%d: loss %.3f, accuracy %.3f (about %s left of the epoch)", *told)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        self._require_number(logs.get("val_loss", 0.0), "on the validation images")
        known = [name for name in COLUMNS[1:] if name in logs]
        self.course.rows.append({"epoch": epoch + 1, **{name: float(logs[name]) for name in known}})
        self.model.stop_training = self.course.is_over(self._options)
        # Those that may be the result: the best so far; without validation, the last.
        wanted = self.course.best["epoch"] == epoch + 1 if "val_loss" in logs else self.model.stop_training
        if wanted or (epoch + 1) % self._options.checkpoint_every == 0:
            self._checkpoint.save(self.model, self.course)
        self._tell()

    def _require_number(self, loss: float, where: str) -> None:
        if not math.isfinite(loss):
            raise ModelError(
                f"The loss became {loss} in epoch {self.course.epochs + 1}, {where}. Lower "
                f"{parameter('training.adam.learning_rate')}, which is {self._options.adam.learning_rate:g}."
            )

    def _tell(self) -> None:
        row, done = self.course.rows[-1], self.course.epochs
        self._told = now = time.monotonic()
        names = [name for name in ("loss", "accuracy", "val_loss", "val_accuracy") if name in row]
        measured = ", ".join(f"{name} {row[name]:.3f}" for name in names)
        log.info("%s: %s (%s, %s)", self._title(done), measured, duration(now - self._epoch_started), self._left(now))

    def _left(self, now: float) -> str:
        done = self.course.epochs
        if self.course.is_over(self._options):
            return f"done; best epoch {self.course.best['epoch']}"
        left = (now - self._started) / (done - self._resumed_at) * (self._options.epochs - done)
        return f"about {duration(left)} left"

    def _title(self, epoch: int) -> str:
        return f"Epoch {epoch}/{self._options.epochs} {stage()}".rstrip()
