"""Log a search to MLflow: a run, and below it a run for each trial."""

from pathlib import Path
from typing import TYPE_CHECKING

from art_pipeline.common.search_events import TrialEvent
from art_pipeline.tracking.live import log_points
from art_pipeline.tracking.store import SEARCH, tracking_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

PARENT = "mlflow.parentRunId"
STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


class SearchRun:
    """Logs the trials of a search below its run; an `art_pipeline.common.search_events.TrialListener`.

    Metrics of trials are on validation or cross-validation, and begin with ``trial_``, so that they are not ranked
    among those of the test split.

    Args:
        client: Client of the store.
        run: Id of the search's run, which is open.
        model: Name of the model whose parameters are searched.
    """

    def __init__(self, client: "MlflowClient", run: str, model: str):
        self._client, self._run, self._model = client, run, model
        self._experiment = client.get_run(run).info.experiment_id

    @tracking_errors()
    def on_trial(self, trial: TrialEvent) -> None:
        """Log a finished trial."""
        tags = {PARENT: self._run, SEARCH: self._model, "trial": trial.state}
        run = self._client.create_run(self._experiment, run_name=f"trial {trial.number + 1}", tags=tags).info.run_id
        for key, value in trial.values.items():
            self._client.log_param(run, key, value)
        rows = [(0, f"trial_{name}", value) for name, value in trial.metrics.items()]
        rows += [(epoch, "val_loss", loss) for epoch, loss in enumerate(trial.epochs, start=1)]
        log_points(self._client, run, [*rows, (0, "seconds", round(trial.seconds, 1))])
        self._client.set_terminated(run, STATUS[trial.state])
        if trial.objective is not None:
            log_points(self._client, self._run, [(trial.number + 1, "trial_objective", trial.objective)])

    @tracking_errors()
    def end(self, folder: Path) -> None:
        """Log table, best block and figures, and end the run."""
        for file in sorted(folder.glob("*.*")):
            self._client.log_artifact(self._run, str(file), "figures" if file.suffix == ".png" else None)
        self._client.set_terminated(self._run)

    @tracking_errors()
    def abandon(self) -> None:
        """End the run of a search that was stopped."""
        self._client.set_terminated(self._run, "KILLED")
