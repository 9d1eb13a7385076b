"""History and checkpoints of a training."""

import json
import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

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

    def resume(self, variables: Variables) -> History:
        """Restore the last state; without a usable one, change nothing and return an empty history."""
        history = self._read()
        if not history.rows:
            return history
        values = read_values(self._folder / _numbered(LAST, history.steps), variables)
        best = (self._folder / _numbered(BEST, int(history.best["step"]))).is_file()
        if values is None or not best:
            log.warning("%s", titled("the checkpoint is damaged or of other networks. Training starts again."))
            self.remove()
            return History()
        assign(variables, values)
        log.info("%s", titled(f"resuming after step {history.steps}, where training was interrupted."))
        return history

    def restore_best(self, average: Variables, history: History) -> None:
        """Assign the average with the lowest distance."""
        values = read_values(self._folder / _numbered(BEST, int(history.best["step"])), average)
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
            log.warning("%s", titled("the checkpoint belongs to other options or images. Training starts again."))
            self.remove()
            return History()
        return History(state["rows"], state["stopped"])


def _numbered(name: str, step: int) -> str:
    return f"{step}-{name}"
