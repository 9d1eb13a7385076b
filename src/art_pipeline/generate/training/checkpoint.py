"""History and checkpoints of a training."""

import json
import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.files import write_atomically
from art_pipeline.common.progress import titled
from art_pipeline.generate.options import GanOptions
from art_pipeline.generate.training.arrays import Variables, assign, read_values, write_values

log = logging.getLogger(__name__)

STATE, LAST, BEST = "state.json", "last.npz", "best.npz"
COLUMNS = ("step", "discriminator_loss", "generator_loss", "reconstruction_loss", "kid", "kid_deviation")


@dataclass
class History:
    """What was measured at the checkpoints of a training.

    Attributes:
        rows: At each checkpoint, the number of steps that are done, the mean losses since the checkpoint before, and
            the kernel inception distance to the validation images.
        stopped: Why training ended before all steps; empty if it did not.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    stopped: str = ""

    @property
    def steps(self) -> int:
        """Number of steps that are done."""
        return int(self.rows[-1]["step"]) if self.rows else 0

    @property
    def best(self) -> dict[str, float]:
        """The first row with the lowest distance."""
        return min(self.rows, key=lambda row: row["kid"])

    def is_over(self, options: GanOptions) -> bool:
        """Return whether all steps are done, or the distance has not become lower for long enough."""
        training = options.training
        since = len(self.rows) - 1 - self.rows.index(self.best) if self.rows else 0
        return bool(self.stopped) or self.steps >= training.steps or since >= (training.patience or np.inf)

    def can_resume(self, options: GanOptions) -> bool:
        """Return whether a training with these options has these checkpoints, and does not end earlier."""
        training = options.training
        steps = [min(number * training.evaluate_every, training.steps) for number in range(1, len(self.rows) + 1)]
        earlier = (History(self.rows[:number]) for number in range(1, len(self.rows)))
        return [row["step"] for row in self.rows] == steps and not any(one.is_over(options) for one in earlier)

    def table(self) -> pd.DataFrame:
        """Return the rows as a table."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS)).astype({"step": np.int64})


class Checkpoint:
    """A folder with the last state and the best average, from which a training resumes.

    Args:
        folder: Created when needed.
        fingerprint: Fingerprint of all inputs; a state with another one is not used.
    """

    def __init__(self, folder: Path, fingerprint: str):
        self._folder, self._fingerprint = folder, fingerprint

    def save(self, variables: Variables, average: Variables, history: History) -> None:
        """Save the state after a step, and the average if it is the best one so far."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if history.best is history.rows[-1]:
            write_values(self._folder / _numbered(BEST, history.steps), average)
        write_values(self._folder / _numbered(LAST, history.steps), variables)
        state = {"fingerprint": self._fingerprint, "rows": history.rows, "stopped": history.stopped}
        write_atomically(self._folder / STATE, json.dumps(state).encode())
        wanted = {_numbered(BEST, int(history.best["step"])), _numbered(LAST, history.steps)}
        for file in self._folder.glob("*.npz"):
            if file.name not in wanted:
                file.unlink()

    def end(self, history: History) -> None:
        """Record why training ended early."""
        state = {"fingerprint": self._fingerprint, "rows": history.rows, "stopped": history.stopped}
        write_atomically(self._folder / STATE, json.dumps(state).encode())

    def resume(self, variables: Variables, average: Variables, options: GanOptions) -> History:
        """Restore the last state; without a usable one, change nothing and return an empty history.

        Args:
            variables: All variables of the training; the last state is assigned to them.
            average: The variables whose best values the checkpoint keeps, for `restore_best`.
            options: A state that a training with these options does not pass through is not used.
        """
        history = self._read()
        if not history.rows:
            return history
        if not history.can_resume(options):
            return self._start_again("the checkpoint is of a training with other steps or patience")
        values = read_values(self._folder / _numbered(LAST, history.steps), variables)
        if values is None or self._read_best(average, history) is None:
            return self._start_again("the checkpoint is damaged or of other networks")
        assign(variables, values)
        log.info("%s", titled(f"resuming after step {history.steps}, where training was interrupted."))
        return history

    def restore_best(self, average: Variables, history: History) -> None:
        """Assign the average with the lowest distance."""
        values = self._read_best(average, history)
        if values is None:
            raise OSError(f"The checkpoint in {self._folder} is damaged.")
        assign(average, values)

    def remove(self) -> None:
        """Delete the checkpoint."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self) -> History:
        try:
            state = json.loads((self._folder / STATE).read_text())
        except (OSError, ValueError):
            return History()
        if state.get("fingerprint") != self._fingerprint:
            return self._start_again("the checkpoint belongs to other options or images")
        return History(state["rows"], state["stopped"])

    def _read_best(self, average: Variables, history: History) -> list[NDArray[Any]] | None:
        return read_values(self._folder / _numbered(BEST, int(history.best["step"])), average)

    def _start_again(self, reason: str) -> History:
        log.warning("%s", titled(f"{reason}. Training starts again."))
        self.remove()
        return History()


def _numbered(name: str, step: int) -> str:
    return f"{step}-{name}"
