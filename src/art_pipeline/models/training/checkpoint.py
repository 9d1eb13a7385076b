"""How far a training has come, and its state on disk. Imports Keras: `prepare_keras` comes first."""

import json
import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from art_pipeline.common.files import write_atomically
from art_pipeline.common.progress import titled
from art_pipeline.models.networks.network import TrainingOptions

log = logging.getLogger(__name__)

METRICS = ("loss", "accuracy", "top_5_accuracy", "precision", "recall", "auc")
COLUMNS = ("epoch", *METRICS, *(f"val_{name}" for name in METRICS))
STATE = "state.json"


@dataclass
class Course:
    """How a training went so far.

    Attributes:
        rows: Of each epoch, its number from 1, and `METRICS` in training and, with ``val_``, in
            validation, where there is one.
    """

    rows: list[dict[str, float]] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Epochs that are done."""
        return len(self.rows)

    @property
    def best(self) -> dict[str, float]:
        """The epoch of the lowest validation loss; of equals, the first. Without validation, the last one."""
        if "val_loss" not in self.rows[-1]:
            return self.rows[-1]
        return min(self.rows, key=lambda row: row["val_loss"])

    def is_over(self, options: TrainingOptions) -> bool:
        """Whether all epochs are done, or the last ones brought nothing."""
        if not self.rows:
            return False
        return self.epochs >= options.epochs or self.epochs - self.best["epoch"] >= options.patience

    def leads_on(self, options: TrainingOptions) -> bool:
        """Whether a training with these options comes this way: there are epochs, and it does not end among them."""
        earlier = (Course(self.rows[:number]) for number in range(1, self.epochs))
        return 0 < self.epochs <= options.epochs and not any(one.is_over(options) for one in earlier)

    def table(self) -> pd.DataFrame:
        """The rows as a table; NaN where there was no validation."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS)).astype({"epoch": np.int64})


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
        if not course.leads_on(options) or not self._restore(model, course, random):
            self.remove()
            return Course()
        log.info("%s", titled(f"continuing after epoch {course.epochs}, where training was interrupted."))
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
