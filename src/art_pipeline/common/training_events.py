"""Metrics of a running training, for a listener such as MLflow.

The library reports; a listener is registered by those who run it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

import pandas as pd


class Listener(Protocol):
    """Receives what a training reports."""

    def on_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Receive the metrics of an epoch, numbered from 1, under the names of the training's history."""

    def on_step(self, step: int, metrics: Mapping[str, float], predictions: pd.DataFrame) -> None:
        """Receive metrics and validation predictions after a step, numbered from 1 over all epochs."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def listen(listener: Listener | None) -> None:
    """Register the listener of the current context, in place of any other; None for none."""
    _listener.set(listener)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Register a listener temporarily."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
    """Report to the current listener; see `Listener.on_epoch`."""
    if listener := _listener.get():
        listener.on_epoch(epoch, metrics)


def report_step(step: int, metrics: Mapping[str, float], predictions: pd.DataFrame) -> None:
    """Report to the current listener; see `Listener.on_step`."""
    if listener := _listener.get():
        listener.on_step(step, metrics, predictions)
