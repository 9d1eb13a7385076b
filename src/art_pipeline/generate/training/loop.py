"""The training loop: batches, checkpoints, early stopping by distance, progress. Imports Keras."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.progress import SECONDS_BETWEEN_LINES, duration, parameter, stage, titled
from art_pipeline.common.training_events import report_epoch
from art_pipeline.errors import ModelError
from art_pipeline.generate.generator import Generator
from art_pipeline.generate.images import Pixels, require_usable
from art_pipeline.generate.measures.kid import Distance
from art_pipeline.generate.networks.build import build
from art_pipeline.generate.options import GanOptions
from art_pipeline.generate.training.checkpoint import Checkpoint, History
from art_pipeline.generate.training.step import LOSSES, Trainer

log = logging.getLogger(__name__)

Measure = Callable[[Generator], Distance]
Show = Callable[[int, Generator], None]


@dataclass
class Training:
    """A training of a generator.

    Attributes:
        options: Architecture and training options.
        images: (n, size, size, 3) uint8 training images, n ≥ 16.
        checkpoint: Checkpoint of the state.
        measure: Returns the distance of a generator's images to the validation images.
        show: Called with the number of steps and the generator at each checkpoint.
        history: What was measured so far.
    """

    options: GanOptions
    images: Pixels
    checkpoint: Checkpoint
    measure: Measure
    show: Show = lambda step, generator: None  # noqa: ARG005
    history: History = field(default_factory=History)

    def run(self) -> Generator:
        """Train, or resume an interrupted training.

        Returns:
            The generator with the moving average of weights that has the lowest distance.

        Raises:
            ModelError: The images cannot be used, or the loss exploded before the first checkpoint.
        """
        require_usable(self.images, self.options.image_size)
        networks = build(self.options)
        trainer = Trainer(networks, self.options)
        self.history = self.checkpoint.resume(trainer.variables, networks.average.variables, self.options)
        generator = Generator(self.options, networks.average)
        if not self.history.is_over(self.options):
            self._train(trainer, generator)
        self.checkpoint.restore_best(networks.average.variables, self.history)
        return generator

    def _train(self, trainer: Trainer, generator: Generator) -> None:
        progress = _Progress(self.options, self.history.steps)
        losses: list[list[float]] = []
        while not self.history.is_over(self.options):
            number = self.history.steps + len(losses)
            found = trainer.step(batch(self.images, self.options, number), number)
            if problem := _explosion(found, self.options.training.max_loss):
                self._stop(problem, number + 1)
                return
            losses.append([found[name] for name in LOSSES])
            progress.log(number + 1, found)
            if (number + 1) % self.options.training.evaluate_every == 0 or number + 1 == self.options.training.steps:
                self._evaluate(trainer, generator, losses)
                losses = []

    def _evaluate(self, trainer: Trainer, generator: Generator, losses: list[list[float]]) -> None:
        step, distance = self.history.steps + len(losses), self.measure(generator)
        means = dict(zip(LOSSES, np.mean(losses, axis=0).tolist(), strict=True))
        row = {"step": step, **means, "kid": distance.mean, "kid_deviation": distance.deviation}
        self.history.rows.append(row)
        self.checkpoint.save(trainer.variables, trainer.networks.average.variables, self.history)
        self.show(step, generator)
        report_epoch(step, {name: value for name, value in row.items() if name != "step"})
        log.info("%s", titled(f"step {step}: KID {distance.mean:.4f} ± {distance.deviation:.4f}"))

    def _stop(self, problem: str, step: int) -> None:
        """End a training whose loss exploded."""
        hint = f"Lower {parameter('training.learning_rate')}, which is {self.options.training.learning_rate:g}."
        if not self.history.rows:
            raise ModelError(f"{problem} in step {step}, before the first checkpoint. {hint}")
        self.history.stopped = f"{problem} in step {step}"
        self.checkpoint.end(self.history)
        kept = self.history.steps
        log.warning("%s", titled(f"{problem} in step {step}. Training stops; the state of step {kept} is kept. {hint}"))


def batch(images: Pixels, options: GanOptions, number: int) -> Pixels:
    """Return the batch of a step: each image once per epoch, in random order, flipped at random.

    Args:
        images: (n, size, size, 3) uint8.
        options: Batch size, seed and flip.
        number: Number of the step, from 0.
    """
    training, count = options.training, len(images)
    positions = np.arange(training.batch_size) + number * training.batch_size
    orders = {epoch: _order(training.seed, epoch, count) for epoch in np.unique(positions // count).tolist()}
    chosen = [orders[position // count][position % count] for position in positions.tolist()]
    taken = images[chosen]
    flipped = np.random.default_rng([training.seed, number, 2]).random(len(taken)) < 0.5 * training.flip
    taken[flipped] = taken[flipped, :, ::-1]
    return taken


def _order(seed: int, epoch: int, count: int) -> NDArray[np.intp]:
    return np.random.default_rng([seed, epoch, 3]).permutation(count)


def _explosion(losses: dict[str, float], limit: float) -> str:
    """Return what exploded; empty if nothing did."""
    for name, value in losses.items():
        if not math.isfinite(value) or abs(value) > limit:
            return f"The {name.replace('_', ' ')} became {value:g}"
    return ""


class _Progress:
    """Logs a line every few seconds."""

    def __init__(self, options: GanOptions, done: int):
        self._options, self._done = options, done
        self._started = self._logged = time.monotonic()

    def log(self, step: int, losses: dict[str, float]) -> None:
        now, steps = time.monotonic(), self._options.training.steps
        if now - self._logged < SECONDS_BETWEEN_LINES or step == steps:
            return
        self._logged = now
        left = (now - self._started) / (step - self._done) * (steps - step)
        values = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in losses.items())
        log.info("%s: %s (about %s left)", f"Step {step}/{steps} {stage()}".rstrip(), values, duration(left))
