"""Log an analysis to MLflow: its parameters, metrics, tables and figures."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from art_pipeline.common.options import flatten
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.verify_mlflow import MAX_PARAMETER
from art_pipeline.tracking.store import LINEAGE, RECORD_TAG, SECONDS, tracking_errors


class AnalysisRun:
    """The open run of an analysis.

    Args:
        mlflow: The module, set to the project's store.
        run: Id of the run.
        parameters: Parameters of the analysis, which are logged.
    """

    def __init__(self, mlflow: ModuleType, run: str, parameters: Mapping[str, Any]):
        self._client, self._run = mlflow.MlflowClient(), run
        for key, value in flatten(parameters):
            self._client.log_param(run, key, str(value)[:MAX_PARAMETER])

    @tracking_errors()
    def end(self, folder: Path, record: Path, seconds: float) -> None:
        """Log the files and the metrics of an analysis, and its record of lineage, and end the run."""
        for file in sorted(folder.glob("*.*")):
            self._client.log_artifact(self._run, str(file), "figures" if file.suffix == ".png" else None)
        for name, value in flatten(json.loads((folder / "metrics.json").read_text(encoding="utf-8"))):
            if value is not None:
                self._client.log_metric(self._run, name, value)
        self._client.log_metric(self._run, SECONDS, round(seconds, 1))
        if record.exists():
            self._client.log_artifact(self._run, str(record), LINEAGE)
            self._client.set_tag(self._run, RECORD_TAG, digest(record))
        self._client.set_terminated(self._run)

    @tracking_errors()
    def abandon(self, status: str) -> None:
        """End the run of an analysis that did not finish."""
        self._client.set_terminated(self._run, status)
