"""Find the MLflow run of a result: its metrics, parameters, model and record."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from art_pipeline.errors import LineageError, TrackingError
from art_pipeline.lineage.record import RECORD
from art_pipeline.lineage.verify_mlflow import MlflowRun
from art_pipeline.tracking.store import (
    EXPERIMENT,
    LINEAGE,
    RECORD_TAG,
    open_store,
    search_runs,
    store_file,
    tracking_errors,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient


@tracking_errors()
def find_run(project: Path, run_id: str | None, record: str, with_model: bool = True) -> MlflowRun | None:
    """Return the MLflow run of a result; None where there is none, or nothing was ever tracked.

    Args:
        project: The project's folder.
        run_id: Id of the run; None for the latest one that has this record.
        record: Digest of the result's record.
        with_model: Whether the model's files are wanted, which a server sends.

    Raises:
        TrackingError: The store cannot be used.
    """
    client = _client(project)
    run_id = run_id or (_run_with_record(client, record) if client else None)
    if client is None or run_id is None:
        return None
    run = _get_run(client, run_id)
    models = run.outputs.model_outputs if run.outputs else []
    model_id = models[0].model_id if models else None
    model = _model_files(f"models:/{model_id}") if model_id and with_model else None
    return MlflowRun(run_id, run.data.metrics, run.data.params, model, model_id)


@tracking_errors()
def record_of_run(project: Path, name: str) -> tuple[Path, str]:
    """Return the file of a run's record, beside which its other lineage files are, and the run's id.

    Args:
        project: The project's folder.
        name: Id of a run, or ``NAME@ALIAS`` of a registered model.

    Raises:
        TrackingError: There is no such run or model, or the store cannot be used.
        LineageError: The run has no record.
    """
    client = _client(project)
    if client is None:
        raise TrackingError(f"MLflow has no {name}: nothing was tracked here yet.")
    model, _, alias = name.partition("@")
    run_id = _run_with_alias(client, model, alias) if alias else name
    folder = _download(f"{_get_run(client, run_id).info.artifact_uri}/{LINEAGE}")
    if folder is None or not (folder / RECORD).is_file():
        raise LineageError(f"The run {run_id} has no record of lineage. Only runs of evaluated models have one.")
    return folder / RECORD, run_id


@tracking_errors()
def log_beside_record(project: Path, run_id: str, name: str, text: str) -> None:
    """Log a file beside the record of a run.

    Raises:
        TrackingError: The store cannot be used.
    """
    open_store(project).MlflowClient().log_text(run_id, text, f"{LINEAGE}/{name}")


@tracking_errors()
def find_model(project: Path, address: str) -> Path:
    """Return the folder of a trained model that MLflow stores; a copy where its artifacts are on a server.

    Args:
        project: The project's folder.
        address: ``models:/<model id>``, or ``models:/<name>/<version>`` or ``models:/<name>@<alias>`` of a registered
            model.

    Raises:
        TrackingError: There is no such model, or the store cannot be used.
    """
    folder = _model_files(address) if _client(project) is not None else None
    if folder is None or not folder.is_dir():
        raise TrackingError(f"MLflow has no model {address}. Log it with kedro run, or give another address.")
    return folder


@tracking_errors()
def results_of_model(project: Path, address: str) -> Path:
    """Return a folder of the artifacts of a model's run: its predictions, metrics and lineage.

    Args:
        project: The project's folder.
        address: ``models:/<id>``, ``models:/<name>@<alias>`` or ``models:/<name>/<version>``.

    Raises:
        TrackingError: There is no such model, or the store cannot be used.
    """
    from mlflow.exceptions import MlflowException

    mlflow = open_store(project, write=False)
    try:
        run_id = mlflow.models.get_model_info(address).run_id
        found = _download(f"{mlflow.MlflowClient().get_run(run_id).info.artifact_uri}/")
    except MlflowException as error:
        raise TrackingError(f"MLflow has no {address}: {error}") from error
    if found is None:
        raise TrackingError(f"MLflow has lost the results of {address}.")
    return found


def _client(project: Path) -> "MlflowClient | None":
    """Return a client of the project's store; None where its file does not exist, without importing MLflow."""
    file = store_file(project)
    if file is not None and not file.exists():
        return None
    client: MlflowClient = open_store(project, write=False).MlflowClient()
    return client


def _run_with_record(client: "MlflowClient", record: str) -> str | None:
    """Return the latest run that has a record and a model; without a model where no run has one."""
    runs = search_runs(client, EXPERIMENT, f"tags.`{RECORD_TAG}` = '{record}'")
    with_model = [run for run in runs if run.outputs and run.outputs.model_outputs]
    return next((run.info.run_id for run in (*with_model, *runs)), None)


def _run_with_alias(client: "MlflowClient", model: str, alias: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(model, alias).run_id)
    except MlflowException as error:
        raise TrackingError(f"MLflow has no {model}@{alias}: {error}") from error


def _get_run(client: "MlflowClient", run_id: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        raise TrackingError(f"MLflow has no {run_id}: {error}") from error


def _model_files(address: str) -> Path | None:
    """Return the folder of a logged model's own files; None where MLflow has lost them."""
    logged = _download(address)
    if logged is None:
        return None
    try:
        description = yaml.safe_load((logged / "MLmodel").read_text(encoding="utf-8"))
        return logged / str(description["flavors"]["python_function"]["data"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None


def _download(address: str) -> Path | None:
    """Return a local copy of artifacts, the artifacts themselves where they are local; None where there are none."""
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        return Path(mlflow.artifacts.download_artifacts(address))
    except (MlflowException, OSError):
        return None
