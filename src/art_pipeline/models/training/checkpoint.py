"""Training history and checkpoints.

Imports Keras: call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

import json
import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from art_pipeline.common.files import write_atomically
from art_pipeline.common.progress import titled
from art_pipeline.models.networks.training_options import TrainingOptions

log = logging.getLogger(__name__)

METRICS = ("loss", "accuracy", "top_5_accuracy", "precision", "recall", "auc")
COLUMNS = ("epoch", *METRICS, *(f"val_{name}" for name in METRICS))
STATE = "state.json"


@dataclass
class History:
    """Metrics of the epochs of a training.

    Attributes:
        rows: For each epoch, its number from 1, `METRICS` on the training batches, and with the prefix ``val_`` on
            the validation batches, if any. A multi-label network has no ``top_5_accuracy``.
    """

    rows: list[dict[str, float]] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Number of completed epochs."""
        return len(self.rows)

    @property
    def best(self) -> dict[str, float]:
        """The first epoch with the lowest validation loss; without validation, the last epoch."""
        if "val_loss" not in self.rows[-1]:
            return self.rows[-1]
        return min(self.rows, key=lambda row: row["val_loss"])

    def is_over(self, options: TrainingOptions) -> bool:
        """Return whether all epochs are done, or early stopping ends the training."""
        if not self.rows:
            return False
        return self.epochs >= options.epochs or self.epochs - self.best["epoch"] >= options.patience

    def can_resume(self, options: TrainingOptions) -> bool:
        """Return whether a training with these options passes through this state: it does not end earlier."""
        earlier = (History(self.rows[:number]) for number in range(1, self.epochs))
        return 0 < self.epochs <= options.epochs and not any(one.is_over(options) for one in earlier)

    def table(self) -> pd.DataFrame:
        """Return the rows as a table; NaN for metrics that a network does not have, and without validation."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS)).astype({"epoch": np.int64})


class Checkpoint:
    """A folder with the state after an epoch and the best weights, from which a training can resume.

    Args:
        folder: Created when needed.
        fingerprint: Fingerprint of all inputs; a state with another one is discarded.
    """

    def __init__(self, folder: Path, fingerprint: str):
        self._folder, self._fingerprint = folder, fingerprint

    def save(self, model: keras.Model, history: History) -> None:
        """Save the state after an epoch: weights, optimizer, and random generators."""
        self._folder.mkdir(parents=True, exist_ok=True)
        model.save_weights(self.weights_after(history.epochs))
        random = [np.asarray(one).tolist() for one in _random_states(model)]
        state = {"fingerprint": self._fingerprint, "rows": history.rows, "random": random}
        write_atomically(self._folder / STATE, json.dumps(state).encode())
        wanted = {self.weights_after(history.epochs), self.weights_after(history.best["epoch"])}
        for file in set(self._folder.glob("*.weights.h5")) - wanted:
            file.unlink()

    def weights_after(self, epoch: float) -> Path:
        """Return the file of the weights after an epoch."""
        return self._folder / f"epoch-{int(epoch)}.weights.h5"

    def resume(self, model: keras.Model, options: TrainingOptions) -> History:
        """Restore the last saved state of a model; a state that cannot be used is removed.

        Returns:
            The completed epochs; empty where training starts from the first epoch.
        """
        history, random = self._read()
        if not history.can_resume(options) or not self._restore(model, history, random):
            self.remove()
            return History()
        log.info("%s", titled(f"resuming after epoch {history.epochs}, where training was interrupted."))
        return history

    def history(self) -> History:
        """Return the history up to the saved state."""
        return self._read()[0]

    def remove(self) -> None:
        """Delete the checkpoint."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _restore(self, model: keras.Model, history: History, random: list[Any]) -> bool:
        """Restore a state, and return whether its files could be read."""
        try:
            for epoch in (history.best["epoch"], history.epochs):  # the best weights are loaded after training
                model.load_weights(self.weights_after(epoch))
        except (OSError, ValueError):  # missing, truncated, or of other layers
            return False
        for variable, value in zip(_random_states(model), random, strict=True):
            variable.assign(np.array(value, np.uint32))
        return True

    def _read(self) -> tuple[History, list[Any]]:
        """Return the history that was saved with this fingerprint, and the states of random generators."""
        try:
            state = json.loads((self._folder / STATE).read_text())
            matches = state["fingerprint"] == self._fingerprint
            return History(state["rows"] if matches else []), state["random"]
        except (OSError, ValueError, KeyError, TypeError):  # missing or damaged
            return History(), []


def _random_states(model: keras.Model) -> list[keras.Variable]:
    """Return the states of dropout's random generators, which Keras does not include in the weights."""
    return [one for one in model.variables if one.name == "seed_generator_state"]
