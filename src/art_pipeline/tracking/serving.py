"""Serve a logged model over HTTP with ``mlflow models serve``."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from art_pipeline.errors import TrackingError, did_you_mean
from art_pipeline.tracking.models import logged_name
from art_pipeline.tracking.store import (
    ADDRESS,
    experiment_ids,
    experiment_name,
    open_store,
    own_database,
    store_file,
    tracking_errors,
)
from art_pipeline.tracking.ui import require_free_port, wait_for

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Requests use the cores side by side; networks have switches of their own.
SETTINGS = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}
STDERR = 2  # number of the file
START_TIMEOUT = 180  # seconds: each worker loads and warms the model


@dataclass(frozen=True)
class LoggedModel:
    """A model in MLflow.

    Attributes:
        store: Address of the store.
        model_id: Id, which MLflow loads as ``models:/<id>``.
    """

    store: str
    model_id: str


def serve_model(
    model: LoggedModel, port: int, workers: int, switches: Mapping[str, str], when_ready: Callable[[str], None]
) -> None:
    """Serve a model on 127.0.0.1 until the server ends or is interrupted.

    Args:
        model: The model.
        port: Port to listen on.
        workers: Number of processes; each holds the model.
        switches: Environment variables of the server, such as those of Keras.
        when_ready: Called with the server's address once it answers, which is when a model is warm.

    Raises:
        TrackingError: The port is taken, or the server does not start.
    """
    require_free_port(port, "kedro serve")
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", f"models:/{model.model_id}"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    # The server finds uvicorn by its name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    settings = {**os.environ, ADDRESS: model.store, "PATH": path, **SETTINGS, **switches}
    with subprocess.Popen(command, env=settings, stdout=STDERR) as server:  # it logs requests there
        try:
            wait_for(f"http://127.0.0.1:{port}/ping", server, "Its errors are above.", START_TIMEOUT)
            when_ready(f"http://127.0.0.1:{port}")
            server.wait()
        finally:
            server.terminate()


def find_model(project: Path, name: str, environment: str | None) -> LoggedModel:
    """Return the latest logged model of a name.

    Args:
        project: The project's folder.
        name: Name of the model in params.yaml.
        environment: Kedro environment in which it was trained.

    Raises:
        TrackingError: It was never logged, or the store cannot be used.
    """
    if store_file(project) == own_database(project) and not own_database(project).exists():
        raise TrackingError(f"MLflow has no model yet. Train one: kedro run --pipelines {name}.")
    mlflow = open_store(project, write=False)
    with tracking_errors():
        client = mlflow.MlflowClient()
        experiments = experiment_ids(client, experiment_name(environment, ""))
        models = _latest_models(client, experiments) if experiments else {}
    logged = logged_name(name)
    if logged not in models:
        known = f" Logged: {', '.join(sorted(models))}." if models else ""
        raise TrackingError(
            f"MLflow has no model {name!r}.{did_you_mean(name, models)}{known} Train it: kedro run --pipelines {name}."
        )
    return LoggedModel(mlflow.get_tracking_uri(), models[logged])


def _latest_models(client: "MlflowClient", experiments: list[str]) -> dict[str, str]:
    """Return the id of the latest logged model of each name."""
    order = [{"field_name": "creation_timestamp", "ascending": True}]
    models: dict[str, str] = {}
    token = None
    while True:
        page = client.search_logged_models(experiments, order_by=order, page_token=token)
        models |= {one.name: one.model_id for one in page}  # a later one replaces an earlier one
        token = page.token
        if not token:
            return models
