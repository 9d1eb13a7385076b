"""The training loop: early stopping, checkpoints and progress.

Imports Keras: call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

import logging
import math
import time
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from art_pipeline.common.arrays import Floats
from art_pipeline.common.progress import SECONDS_BETWEEN_LINES, duration, parameter, stage, titled
from art_pipeline.common.training_events import report_epoch
from art_pipeline.errors import ModelError
from art_pipeline.models.networks.training_options import TrainingOptions
from art_pipeline.models.targets import is_multilabel
from art_pipeline.models.training.batches import Batches
from art_pipeline.models.training.checkpoint import COLUMNS, Checkpoint, History
from art_pipeline.models.training.losses import OF_COSTS, STRENGTHS, AsymmetricLoss, LabelLoss, LogitAdjusted
from art_pipeline.models.training.optimizers import build_optimizer

log = logging.getLogger(__name__)

TOP = 5


def train(  # noqa: PLR0913 - parts of a training
    model: keras.Model,
    training: Batches,
    validation: Batches | None,
    options: TrainingOptions,
    checkpoint: Checkpoint,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    costs: Floats | None = None,
) -> History:
    """Train a network with cross-entropy, and restore the weights of the best epoch.

    Training stops early by the validation loss. Without validation, all epochs are run and the last weights are
    kept. An interrupted training resumes from its checkpoint and ends with the weights that it would have had.

    Args:
        model: Inputs to probabilities, with initial weights; changed in place.
        training: Training batches.
        validation: Validation batches; None for none.
        options: Training options.
        checkpoint: Checkpoint of the state; after Ctrl-C it holds the best weights so far.
        callbacks: Further callbacks of Keras.
        costs: (classes, classes) costs of mistakes, for a loss that reads them; None for other losses.

    Raises:
        ModelError: The loss is not finite.
    """
    loss = _loss(options, training, costs)
    compile_model(model, options, len(training), is_multilabel(training.targets), loss)
    history = checkpoint.resume(model, options)
    training.start_with(history.epochs)
    try:
        if not history.is_over(options):
            epochs = _Epochs(history, options, checkpoint)
            _fit(model, training, validation, options, [epochs, *callbacks])
    except KeyboardInterrupt:
        _log_interruption(history.epochs, checkpoint, options)
        raise
    model.load_weights(checkpoint.weights_after(history.best["epoch"]))
    return history


def compile_model(
    model: keras.Model,
    options: TrainingOptions,
    steps: int,
    multilabel: bool = False,
    loss: keras.losses.Loss | None = None,
) -> None:
    """Compile a network with loss, optimizer and metrics.

    Precision, recall and AUC (of the ROC curve) are micro-averaged over all pairs of image and class, with a
    threshold of 0.5. The accuracy of a multi-label network is the share of such pairs that are right.

    Args:
        model: Changed in place.
        options: Training options.
        steps: Batches per epoch.
        multilabel: Whether the network has a sigmoid per label.
        loss: The loss; None for the cross-entropy.
    """
    optimizer = build_optimizer(options, steps)
    _regularize(model, options.l2)
    jit_compile = keras.backend.backend() == "jax"
    metrics = [
        *_accuracies(model, multilabel),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
        keras.metrics.AUC(name="auc"),
    ]
    loss = loss or _cross_entropy(options, multilabel)
    model.compile(optimizer, loss, metrics=metrics, jit_compile=jit_compile)
    # So that a checkpoint can be loaded before the first step; mixed precision has another optimizer around this one.
    model.optimizer.build(model.trainable_variables)


def _regularize(model: keras.Model, factor: float) -> None:
    """Add an L2 penalty of all trained kernels to the loss."""
    for weight in model.trainable_variables if factor else ():
        if weight.name == "kernel":
            weight.regularizer = keras.regularizers.L2(factor)


def _loss(options: TrainingOptions, training: Batches, costs: Floats | None) -> keras.losses.Loss:
    strength = STRENGTHS.get(options.loss, 1.0) if options.loss_strength is None else options.loss_strength
    if options.loss == "logit_adjusted":
        return LogitAdjusted(np.bincount(training.targets), strength, options.label_smoothing)
    if options.loss in OF_COSTS:
        return OF_COSTS[options.loss](np.asarray(costs), strength, options.label_smoothing)
    return _cross_entropy(options, is_multilabel(training.targets))


def _cross_entropy(options: TrainingOptions, multilabel: bool) -> keras.losses.Loss:
    if not multilabel:
        return keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    return (AsymmetricLoss if options.loss == "asymmetric" else LabelLoss)(options.label_smoothing)


def _accuracies(model: keras.Model, multilabel: bool) -> list[keras.metrics.Metric]:
    if multilabel:
        return [keras.metrics.BinaryAccuracy(name="accuracy")]
    top = min(TOP, model.output_shape[-1])
    return [
        keras.metrics.CategoricalAccuracy(name="accuracy"),
        keras.metrics.TopKCategoricalAccuracy(top, name="top_5_accuracy"),
    ]


def _fit(
    model: keras.Model,
    training: Batches,
    validation: Batches | None,
    options: TrainingOptions,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    model.fit(
        training,
        validation_data=validation,
        initial_epoch=callbacks[0].history.epochs,
        epochs=options.epochs,
        callbacks=list(callbacks),
        shuffle=False,  # `Batches` shuffles
        verbose=0,
    )


def _log_interruption(done: int, checkpoint: Checkpoint, options: TrainingOptions) -> None:
    kept = checkpoint.history()
    if not kept.rows:
        log.warning("%s", titled("stopped in the first epoch, before the first checkpoint."))
        return
    best = int(kept.best["epoch"])
    loss = kept.best.get("val_loss")
    text = f"stopped after epoch {done}. The best weights so far, of epoch {best}"
    text += "" if loss is None else f" (val_loss {loss:.3f})"
    text += f", are kept in {checkpoint.weights_after(best)}. Run the same command again to resume"
    if not options.spans_epochs:
        text += f"; to take these weights as the result, set {parameter('training.epochs')} to {done} first"
    log.warning("%s.", titled(text))


class _Epochs(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Callback that records metrics, saves checkpoints, logs progress, and stops early."""

    def __init__(self, history: History, options: TrainingOptions, checkpoint: Checkpoint):
        super().__init__()
        self.history = history
        self._options, self._checkpoint = options, checkpoint
        self._resumed_at = history.epochs
        self._started = self._epoch_started = self._logged = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002 - Keras'
        self._epoch_started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float]) -> None:
        self._check_finite(logs["loss"], f"in step {batch + 1}")
        now = time.monotonic()
        if now - self._logged >= SECONDS_BETWEEN_LINES:
            self._logged = now
            epoch, steps = self.history.epochs + 1, self.params["steps"]
            left = (now - self._epoch_started) / (batch + 1) * (steps - batch - 1)
            values = (self._title(epoch), batch + 1, steps, logs["loss"], logs["accuracy"], duration(left))
            log.info("%s, step %d/%d: loss %.3f, accuracy %.3f (about %s left of the epoch)", *values)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        self._check_finite(logs.get("val_loss", 0.0), "on the validation split")
        known = [name for name in COLUMNS[1:] if name in logs]
        metrics = {name: float(logs[name]) for name in known}
        self.history.rows.append({"epoch": epoch + 1, **metrics})
        self.model.stop_training = self.history.is_over(self._options)
        # The weights of the best epoch so far, or without validation of the last, may be the result.
        wanted = self.history.best["epoch"] == epoch + 1 if "val_loss" in logs else self.model.stop_training
        if wanted or (epoch + 1) % self._options.checkpoint_every == 0:
            self._checkpoint.save(self.model, self.history)
        self._log_epoch()
        report_epoch(epoch + 1, metrics)

    def _check_finite(self, loss: float, where: str) -> None:
        if not math.isfinite(loss):
            raise ModelError(
                f"The loss became {loss} in epoch {self.history.epochs + 1}, {where}. Lower "
                f"{parameter(self._options.rate_key)}, which is {self._options.rate:g}."
            )

    def _log_epoch(self) -> None:
        row, done = self.history.rows[-1], self.history.epochs
        self._logged = now = time.monotonic()
        names = [name for name in ("loss", "accuracy", "val_loss", "val_accuracy") if name in row]
        metrics = ", ".join(f"{name} {row[name]:.3f}" for name in names)
        log.info("%s: %s (%s, %s)", self._title(done), metrics, duration(now - self._epoch_started), self._left(now))

    def _left(self, now: float) -> str:
        done = self.history.epochs
        if self.history.is_over(self._options):
            return f"done; best epoch {self.history.best['epoch']}"
        left = (now - self._started) / (done - self._resumed_at) * (self._options.epochs - done)
        return f"about {duration(left)} left"

    def _title(self, epoch: int) -> str:
        return f"Epoch {epoch}/{self._options.epochs} {stage()}".rstrip()
