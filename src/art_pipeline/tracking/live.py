"""Log a training to its MLflow run while it runs."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from art_pipeline.tracking.store import tracking_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

MAX_BATCH = 1000  # metrics that MLflow accepts at once
FOLDER = "validation_predictions"  # of a run's artifacts


class LiveRun:
    """Logs metrics of epochs and steps; an `art_pipeline.common.training_events.Listener`.

    Args:
        client: Client of the store.
        run: Id of an open run.

    Attributes:
        epochs: Numbers of the epochs whose metrics are logged.
    """

    def __init__(self, client: "MlflowClient", run: str):
        self._client, self._run = client, run
        self.epochs: set[int] = set()

    @tracking_errors()
    def on_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of an epoch."""
        self.epochs.add(epoch)
        log_points(self._client, self._run, [(epoch, _curve(name), value) for name, value in metrics.items()])

    @tracking_errors()
    def on_step(self, step: int, metrics: Mapping[str, float], predictions: pd.DataFrame) -> None:
        """Log metrics of a step, and the predictions as a CSV file."""
        log_points(self._client, self._run, [(step, name, value) for name, value in metrics.items()])
        if len(predictions):
            text = predictions.to_csv(index=False)
            self._client.log_text(self._run, text, f"{FOLDER}/step_{step:07d}.csv")


def log_curves(client: "MlflowClient", run: str, history: Path, live: LiveRun | None) -> None:
    """Log the metrics of all epochs that were not logged while they ran, which MLflow's page plots."""
    epochs = pd.read_csv(history).set_index("epoch").dropna(axis=1, how="all")  # without a validation split
    missing = epochs[~epochs.index.isin(live.epochs if live else set())].rename(columns=_curve)
    rows = missing.reset_index().melt("epoch").dropna().itertuples(index=False, name=None)
    log_points(client, run, [(int(epoch), name, value) for epoch, name, value in rows])


def _curve(name: str) -> str:
    """Return the name of a metric; without a prefix, the last training accuracy would replace the test accuracy."""
    return name if name.startswith("val_") else f"train_{name}"


def log_points(client: "MlflowClient", run: str, rows: list[tuple[int, str, float]]) -> None:
    """Log rows of step, name and value."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, step) for step, name, value in rows]
    for start in range(0, len(metrics), MAX_BATCH):
        client.log_batch(run, metrics=metrics[start : start + MAX_BATCH])
