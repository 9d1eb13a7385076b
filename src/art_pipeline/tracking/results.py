"""What MLflow has of a result: its run's numbers, parameters, model and record.

A store that is a local SQLite database, as it is by default, is read as one: that answers before
MLflow is imported, and makes nothing where there is nothing. Every other store is asked through
MLflow, and so is a database whose tables are not those that are expected here.
"""

import math
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import yaml

from art_pipeline.errors import LineageError, TrackingError
from art_pipeline.lineage.case import Stored
from art_pipeline.lineage.record import RECORD
from art_pipeline.tracking.database import follow_move, reading
from art_pipeline.tracking.runs import LINEAGE, RECORD_TAG, SECONDS
from art_pipeline.tracking.store import EXPERIMENT, open_store, own_database, store_file, tracking_errors

MODEL_OUTPUTS = "source_type = 'RUN_OUTPUT' AND source_id = {run} AND destination_type = 'MODEL_OUTPUT'"
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class TrackedModel:
    """A model as MLflow has it.

    Attributes:
        run: The id of its run.
        model: The id under which MLflow loads it, as ``models:/<id>``; None where only metrics were logged.
        seconds: That the model's own work took; None where that is not known.
    """

    run: str
    model: str | None
    seconds: float | None


def stored_result(project: Path, run: str | None, record: str) -> Stored | None:
    """What MLflow has of a result; None where it has nothing, or where nothing was ever tracked.

    Args:
        project: The project's folder.
        run: The run's id; None for the last one that has this record.
        record: Digest of the result's record.

    Raises:
        TrackingError: The store cannot be used.
    """

    def answer(runs: "_Runs") -> Stored | None:
        found = run or runs.with_record(record)
        return runs.result(found) if found else None

    return _ask(project, answer)


def tracked_model(project: Path, record: str) -> TrackedModel | None:
    """The model of a result, by the digest of the result's record; None where MLflow has none.

    Raises:
        TrackingError: The store cannot be used.
    """

    def answer(runs: "_Runs") -> TrackedModel | None:
        found = runs.with_record(record)
        return runs.model(found) if found else None

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
    with tracking_errors():
        open_store(project).MlflowClient().log_text(run, text, f"{LINEAGE}/{name}")


def _record_of_run(runs: "_Runs", name: str) -> tuple[Path, str]:
    model, _, alias = name.partition("@")
    run = runs.with_alias(model, alias) if alias else name
    folder = runs.artifacts(run, LINEAGE)
    if folder is None or not (folder / RECORD).is_file():
        raise LineageError(f"The run {run} has no record of lineage. Only the run of a model that was evaluated has.")
    return folder / RECORD, run


class _Runs(Protocol):
    """What is asked of a store."""

    def with_record(self, record: str) -> str | None:
        """The last run whose record has this digest, of those that have a model if there are any."""

    def with_alias(self, model: str, alias: str) -> str:
        """The run of a registered model; `TrackingError` where there is none."""

    def result(self, run: str) -> Stored:
        """What it has of a run."""

    def model(self, run: str) -> TrackedModel:
        """The model of a run."""

    def artifacts(self, run: str, path: str) -> Path | None:
        """A folder of a run's artifacts; None where it has none, `TrackingError` where there is no such run."""


def _ask(project: Path, question: Callable[[_Runs], Answer]) -> Answer:
    file = store_file(project)
    if file is None:
        return question(_Client(project))
    if not file.exists():
        return question(_Nothing())
    if file == own_database(project):
        follow_move(file)
    with suppress(_ElsewhereError), reading(file) as database:
        return question(_Database(database))
    return question(_Client(project))


class _ElsewhereError(Exception):
    """Artifacts that are in no folder of this machine."""


class _Nothing:
    """A store that was never made."""

    def with_record(self, record: str) -> None:  # noqa: ARG002
        return None

    def with_alias(self, model: str, alias: str) -> str:
        raise TrackingError(f"MLflow has no {model}@{alias}: nothing was tracked here yet.")

    def artifacts(self, run: str, path: str) -> Path | None:  # noqa: ARG002
        raise TrackingError(f"MLflow has no {run}: nothing was tracked here yet.")

    result = model = artifacts


class _Database:
    """MLflow's tables, as they are."""

    def __init__(self, database: sqlite3.Connection):
        self._database = database

    def with_record(self, record: str) -> str | None:
        rows = self._rows(
            "SELECT run_uuid FROM tags JOIN runs USING (run_uuid) JOIN experiments USING (experiment_id)"
            " WHERE key = ? AND value = ? AND experiments.name LIKE ? AND runs.lifecycle_stage = 'active'"
            f" ORDER BY EXISTS (SELECT * FROM inputs WHERE {MODEL_OUTPUTS.format(run='run_uuid')}) DESC,"
            " start_time DESC, run_uuid LIMIT 1",
            RECORD_TAG,
            record,
            f"{EXPERIMENT}%",
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

    def result(self, run: str) -> Stored:
        parameters = self._rows("SELECT key, value FROM params WHERE run_uuid = ?", run)
        models = self._models(run)
        return Stored(run, self._metrics(run), dict(parameters), _own_files(_local(models[0][1])) if models else None)

    def model(self, run: str) -> TrackedModel:
        models = self._models(run)
        return TrackedModel(run, models[0][0] if models else None, self._metrics(run).get(SECONDS))

    def artifacts(self, run: str, path: str) -> Path | None:
        rows = self._rows("SELECT artifact_uri FROM runs WHERE run_uuid = ?", run)
        if not rows:
            raise TrackingError(f"MLflow has no {run}.")
        folder = _local(rows[0][0]) / path
        return folder if folder.is_dir() else None

    def _metrics(self, run: str) -> dict[str, float]:
        rows = self._rows("SELECT key, value, is_nan FROM latest_metrics WHERE run_uuid = ?", run)
        return {key: math.nan if undefined else value for key, value, undefined in rows}

    def _models(self, run: str) -> list[tuple]:
        return self._rows(
            "SELECT model_id, artifact_location FROM inputs JOIN logged_models ON model_id = destination_id"
            f" WHERE {MODEL_OUTPUTS.format(run='?')}",
            run,
        )

    def _rows(self, query: str, *values: str) -> list[tuple]:
        return self._database.execute(query, values).fetchall()


class _Client:
    """MLflow's own access."""

    def __init__(self, project: Path):
        self._mlflow = open_store(project)
        self._client = self._mlflow.MlflowClient()

    @tracking_errors()
    def with_record(self, record: str) -> str | None:
        experiments = self._client.search_experiments(filter_string=f"name LIKE '{EXPERIMENT}%'")
        having = f"tags.`{RECORD_TAG}` = '{record}'"
        runs = self._client.search_runs([one.experiment_id for one in experiments], having) if experiments else []
        with_model = [run for run in runs if run.outputs and run.outputs.model_outputs]
        return next((run.info.run_id for run in (*with_model, *runs)), None)

    def with_alias(self, model: str, alias: str) -> str:
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_model_version_by_alias(model, alias).run_id
        except MlflowException as error:
            raise TrackingError(f"MLflow has no {model}@{alias}: {error}") from error

    @tracking_errors()
    def result(self, run: str) -> Stored:
        found, model = self._run(run), self.model(run).model
        whole = self._mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{model}") if model else None
        return Stored(run, found.data.metrics, found.data.params, _own_files(Path(whole)) if whole else None)

    def model(self, run: str) -> TrackedModel:
        found = self._run(run)
        models = found.outputs.model_outputs if found.outputs else []
        return TrackedModel(run, models[0].model_id if models else None, found.data.metrics.get(SECONDS))

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
