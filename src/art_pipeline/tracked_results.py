"""What MLflow has of a result: its run's numbers, parameters, model and record.

A store that is a local SQLite database, as it is by default, is read as one: that answers before
MLflow is imported. Every other store is asked through MLflow, and so is a database that is laid
out otherwise than here is thought.
"""

import math
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import yaml

from art_pipeline.errors import LineageError, TrackingError
from art_pipeline.lineage.record import RECORD
from art_pipeline.lineage.verify import Stored
from art_pipeline.tracking import EXPERIMENT, LINEAGE, RECORD_TAG, configured_mlflow, runs_folder

PARENT_TAG = "mlflow.parentRunId"
SQLITE = "sqlite:///"
Answer = TypeVar("Answer")


def stored_result(project: Path, run: str | None, record: str) -> Stored | None:
    """What MLflow has of a result.

    Args:
        project: The project's folder.
        run: The run's id; None for the last one that has this record.
        record: Digest of the result's record.
    """

    def answer(runs: "_Runs") -> Stored | None:
        found = run or runs.with_record(record)
        return runs.result(found) if found else None

    return _ask(project, answer)


def record_of_run(project: Path, name: str) -> tuple[Path, str]:
    """The file of a run's record, with what lies beside it, and the run's id.

    Args:
        project: The project's folder.
        name: A run's id, or ``NAME@ALIAS`` of a registered model.

    Raises:
        TrackingError: There is no such run or model.
        LineageError: The run has no record.
    """
    return _ask(project, lambda runs: _record_of_run(runs, name))


def add_to_lineage(project: Path, run: str, name: str, text: str) -> None:
    """Keep a file beside the record in a run.

    Raises:
        TrackingError: MLflow's store cannot be used.
    """
    from mlflow.exceptions import MlflowException

    try:
        configured_mlflow(project).MlflowClient().log_text(run, text, f"{LINEAGE}/{name}")
    except (MlflowException, OSError) as error:
        raise TrackingError(f"MLflow cannot keep {name} in run {run}: {error}") from error


def _record_of_run(runs: "_Runs", name: str) -> tuple[Path, str]:
    model, _, alias = name.partition("@")
    run = runs.with_alias(model, alias) if alias else name
    folder = runs.artifacts(run, LINEAGE)
    if folder is None or not (folder / RECORD).is_file():
        models = ", ".join(f"{child} ({called})" for child, called in runs.children(run).items())
        hint = f" Its models have: {models}." if models else " Only a model's run has, since records are kept."
        raise LineageError(f"The run {run} has no record of lineage.{hint}")
    return folder / RECORD, run


class _Runs(Protocol):
    """What is asked of a store."""

    def with_record(self, record: str) -> str | None:
        """The last run whose record has this digest."""

    def with_alias(self, model: str, alias: str) -> str:
        """The run of a registered model; `TrackingError` where there is none."""

    def children(self, run: str) -> dict[str, str]:
        """Names of the runs inside a run, by their ids."""

    def result(self, run: str) -> Stored:
        """What it has of a run."""

    def artifacts(self, run: str, path: str) -> Path | None:
        """A folder of a run's artifacts; None where it has none, `TrackingError` where there is no such run."""


def _ask(project: Path, question: Callable[[_Runs], Answer]) -> Answer:
    address = os.environ.get("MLFLOW_TRACKING_URI", f"{SQLITE}{runs_folder(project) / 'mlflow.db'}")
    if address.startswith(SQLITE):
        file = Path(address.removeprefix(SQLITE)).absolute()
        with suppress(sqlite3.Error, _ElsewhereError), closing(_open(file)) as database:
            return question(_Database(database))
    return question(_Client(project))


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)


class _ElsewhereError(Exception):
    """Artifacts that are in no folder of this machine."""


class _Database:
    """MLflow's tables, as they are."""

    def __init__(self, database: sqlite3.Connection):
        self._database = database

    def with_record(self, record: str) -> str | None:
        rows = self._rows(
            "SELECT run_uuid FROM tags JOIN runs USING (run_uuid) JOIN experiments USING (experiment_id)"
            " WHERE key = ? AND value = ? AND experiments.name = ? AND runs.lifecycle_stage = 'active'"
            " ORDER BY start_time DESC, run_uuid LIMIT 1",
            RECORD_TAG,
            record,
            EXPERIMENT,
        )
        return rows[0][0] if rows else None

    def with_alias(self, model: str, alias: str) -> str:
        rows = self._rows(
            "SELECT run_id FROM registered_model_aliases JOIN model_versions USING (name, version)"
            " WHERE name = ? AND alias = ?",
            model,
            alias,
        )
        if not rows:
            raise TrackingError(f"MLflow has no {model}@{alias}.")
        return rows[0][0]

    def children(self, run: str) -> dict[str, str]:
        inside = "SELECT run_uuid, name FROM tags JOIN runs USING (run_uuid) WHERE key = ? AND value = ?"
        return dict(self._rows(f"{inside} ORDER BY start_time", PARENT_TAG, run))

    def result(self, run: str) -> Stored:
        metrics = self._rows("SELECT key, value, is_nan FROM latest_metrics WHERE run_uuid = ?", run)
        parameters = self._rows("SELECT key, value FROM params WHERE run_uuid = ?", run)
        models = self._rows(
            "SELECT artifact_location FROM inputs JOIN logged_models ON model_id = destination_id"
            " WHERE source_type = 'RUN_OUTPUT' AND source_id = ? AND destination_type = 'MODEL_OUTPUT'",
            run,
        )
        return Stored(
            run,
            {key: math.nan if undefined else value for key, value, undefined in metrics},
            dict(parameters),
            _own_files(_local(models[0][0])) if models else None,
        )

    def artifacts(self, run: str, path: str) -> Path | None:
        rows = self._rows("SELECT artifact_uri FROM runs WHERE run_uuid = ?", run)
        if not rows:
            raise TrackingError(f"MLflow has no {run}.")
        folder = _local(rows[0][0]) / path
        return folder if folder.is_dir() else None

    def _rows(self, query: str, *values: str) -> list[tuple]:
        return self._database.execute(query, values).fetchall()


class _Client:
    """MLflow's own access."""

    def __init__(self, project: Path):
        self._mlflow = configured_mlflow(project)
        self._client = self._mlflow.MlflowClient()

    def with_record(self, record: str) -> str | None:
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        having = f"tags.`{RECORD_TAG}` = '{record}'"
        runs = self._client.search_runs([experiment.experiment_id], having, max_results=1) if experiment else []
        return runs[0].info.run_id if runs else None

    def with_alias(self, model: str, alias: str) -> str:
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_model_version_by_alias(model, alias).run_id
        except MlflowException as error:
            raise TrackingError(f"MLflow has no {model}@{alias}: {error}") from error

    def children(self, run: str) -> dict[str, str]:
        experiment, inside = self._run(run).info.experiment_id, f"tags.`{PARENT_TAG}` = '{run}'"
        return {child.info.run_id: child.info.run_name for child in self._client.search_runs([experiment], inside)}

    def result(self, run: str) -> Stored:
        found = self._run(run)
        models = found.outputs.model_outputs if found.outputs else []
        address = f"models:/{models[0].model_id}" if models else None
        whole = self._mlflow.artifacts.download_artifacts(artifact_uri=address) if address else None
        return Stored(run, found.data.metrics, found.data.params, _own_files(Path(whole)) if whole else None)

    def artifacts(self, run: str, path: str) -> Path | None:
        from mlflow.exceptions import MlflowException

        self._run(run)
        try:
            return Path(self._mlflow.artifacts.download_artifacts(run_id=run, artifact_path=path))
        except (MlflowException, OSError):
            return None

    def _run(self, run: str) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_run(run)
        except MlflowException as error:
            raise TrackingError(f"MLflow has no {run}: {error}") from error


def _local(address: str) -> Path:
    parts = urlsplit(address)
    if parts.scheme not in {"file", ""} or parts.netloc:
        raise _ElsewhereError(address)
    return Path(unquote(parts.path))


def _own_files(model: Path) -> Path | None:
    """Folder of the model's own files, within what MLflow stored of it; None where that is gone."""
    try:
        flavour = yaml.safe_load((model / "MLmodel").read_text(encoding="utf-8"))["flavors"]["python_function"]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None
    return model / flavour["data"]
