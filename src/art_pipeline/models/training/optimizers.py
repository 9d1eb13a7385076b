"""Optimizers, and schedules of their learning rate.

Imports Keras: call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

import math
from typing import Any

import keras
from keras import ops
from keras.optimizers import schedules

from art_pipeline.models.networks.training_options import TrainingOptions

DROPS, FACTOR = (0.5, 0.75), 0.1  # of the step schedule: shares of all steps, and what the rate is multiplied by


def build_optimizer(options: TrainingOptions, steps: int) -> keras.optimizers.Optimizer:
    """Build the optimizer for epochs of ``steps`` batches each: SGD where its options are given, and Adam otherwise."""
    rate = {"learning_rate": learning_rate(options, steps)}
    if options.sgd:
        return keras.optimizers.SGD(**options.sgd.model_dump() | rate)
    return keras.optimizers.Adam(**options.adam.model_dump() | rate)


def learning_rate(options: TrainingOptions, steps: int) -> float | schedules.LearningRateSchedule:
    """Return the constant learning rate, or a schedule over all epochs of ``steps`` batches each."""
    total = steps * options.epochs
    warm_up = math.ceil(total * options.warm_up_share)
    rest = max(total - warm_up, 1)  # Keras divides by it
    match options.schedule:
        case "cosine":
            start, target = (0.0, options.rate) if warm_up else (options.rate, None)
            return schedules.CosineDecay(start, rest, warmup_target=target, warmup_steps=warm_up)
        case "linear":
            decay = schedules.PolynomialDecay(options.rate, rest, end_learning_rate=0.0)
        case "step":
            rates = [options.rate * FACTOR**drops for drops in range(len(DROPS) + 1)]
            decay = schedules.PiecewiseConstantDecay([round(share * rest) for share in DROPS], rates)
        case _ if not warm_up:
            return options.rate
        case _:
            decay = schedules.PiecewiseConstantDecay([rest], [options.rate, options.rate])
    return WarmUp(decay, options.rate, warm_up) if warm_up else decay


class WarmUp(schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
    """Linear warm-up from 0, then another schedule.

    Args:
        decay: The schedule after the warm-up.
        rate: Learning rate at the end of the warm-up.
        steps: Steps of the warm-up; at least 1.
    """

    def __init__(self, decay: schedules.LearningRateSchedule, rate: float, steps: int):
        self._decay, self._rate, self._steps = decay, rate, steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, numbered from 0."""
        share = ops.cast(step, "float32") / self._steps
        return ops.where(share < 1, self._rate * share, self._decay(ops.maximum(step - self._steps, 0)))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"decay": self._decay, "rate": self._rate, "steps": self._steps}
