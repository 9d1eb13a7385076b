"""Events of a running search, for a listener such as MLflow."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class TrialEvent:
    """A finished trial.

    Attributes:
        number: From 0.
        values: Values of the searched parameters, by key.
        state: ``complete``, ``pruned`` or ``failed``.
        objective: Value of the objective; None unless it is complete.
        metrics: All metrics on the images that the trial was not trained on.
        epochs: Validation loss after each epoch.
        seconds: Its run time.
    """

    number: int
    values: Mapping[str, Any]
    state: str
    objective: float | None
    metrics: Mapping[str, float]
    epochs: list[float]
    seconds: float


class TrialListener(Protocol):
    """Receives the trials of a search."""

    def on_trial(self, trial: TrialEvent) -> None:
        """Receive a finished trial."""


_listener: ContextVar[TrialListener | None] = ContextVar("trial_listener", default=None)


def listen_to_trials(listener: TrialListener | None) -> None:
    """Register the listener of the current context, in place of any other; None for none."""
    _listener.set(listener)


def report_trial(trial: TrialEvent) -> None:
    """Report to the current listener."""
    if listener := _listener.get():
        listener.on_trial(trial)
