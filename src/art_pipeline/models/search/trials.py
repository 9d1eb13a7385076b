"""Finished trials of a search, in a file from which a search resumes, and as a table."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from art_pipeline.common.files import write_atomically

JOURNAL, TABLE = "trials.json", "trials.csv"
MINIMISED = ("log_loss", "mean_cost")


@dataclass(frozen=True)
class Trial:
    """A finished trial.

    Attributes:
        number: From 0.
        values: Values of the searched parameters, by key.
        state: ``complete``; ``pruned``; or ``failed``, where it could not be trained.
        objective: Value of the objective; None unless it is complete.
        metrics: All metrics on the images that the trial was not trained on.
        epochs: What the pruner saw after each epoch, from the first on.
        reason: Why it failed.
    """

    number: int
    values: dict[str, Any]
    state: Literal["complete", "pruned", "failed"]
    objective: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    epochs: list[float] = field(default_factory=list)
    reason: str = ""


def read_trials(folder: Path, fingerprint: str) -> list[Trial]:
    """Return the finished trials of a search with the same fingerprint, in order; none for another search."""
    try:
        found = json.loads((folder / JOURNAL).read_text(encoding="utf-8"))
        return [Trial(**one) for one in found["trials"]] if found["fingerprint"] == fingerprint else []
    except (OSError, ValueError, KeyError, TypeError):  # missing or damaged
        return []


def write_trials(folder: Path, fingerprint: str, trials: Sequence[Trial]) -> None:
    """Write the journal and the table."""
    content = {"fingerprint": fingerprint, "trials": [asdict(one) for one in trials]}
    write_atomically(folder / JOURNAL, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    write_atomically(folder / TABLE, trials_table(trials).to_csv(index=False).encode())


def trials_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """Return a row per trial: ``trial``, ``state``, ``objective``, the values and the metrics.

    >>> trials_table([Trial(0, {"C": 3.0}, "complete", 0.5, {"accuracy": 0.5})]).to_dict("records")
    [{'trial': 0, 'state': 'complete', 'objective': 0.5, 'C': 3.0, 'metrics.accuracy': 0.5, 'reason': ''}]
    """
    return pd.DataFrame(
        {"trial": one.number, "state": one.state, "objective": one.objective}
        | one.values
        | {f"metrics.{name}": value for name, value in one.metrics.items()}
        | {"reason": one.reason}
        for one in trials
    )


def best_trial(trials: Sequence[Trial], minimise: bool) -> Trial | None:
    """Return the complete trial with the best objective, the first of equals; None where there is none."""
    complete = [one for one in trials if one.objective is not None]
    sign = 1 if minimise else -1
    return min(complete, key=lambda one: (sign * (one.objective or 0.0), one.number), default=None)
