"""MLflow's user interface, opened on the comparison of the models."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from art_pipeline.errors import TrackingError
from art_pipeline.evaluation.kinds import MAIN_METRICS as OF_KIND
from art_pipeline.tracking.store import (
    ADDRESS,
    EXPERIMENT,
    experiment_name,
    is_own,
    open_store,
    own_database,
    tracking_errors,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

START_TIMEOUT = 60  # seconds
NO_MODEL, TRAIN = "There is no model", "Train some: kedro run."
MAIN_METRICS = (*OF_KIND["multiclass"][::2], "log_loss", *OF_KIND["multilabel"][::2])
# MLflow stores a shared view, with its columns and order, as a tag of the experiment.
VIEW = "models"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
COLUMNS = (
    "attributes.`Run Name`",
    "runDateAndNestInfo",
    *(f"metrics.`{name}`" for name in MAIN_METRICS),
    "duration",
    *(f"tags.`{name}`" for name in ("task", "family", "session")),
    "attributes.`Version`",
    "attributes.`Models`",
)
WIDTHS = dict.fromkeys(COLUMNS, 110) | {"runDateAndNestInfo": 130, "attributes.`Run Name`": 240, "tags.`session`": 250}


def share_view(client: "MlflowClient", experiment_id: str) -> None:
    """Store a view of the experiment with the main metrics of its models, the most accurate first."""
    order = {"orderByKey": "metrics.`accuracy`", "orderByAsc": False}
    view = {**order, "selectedColumns": COLUMNS, "columnOrder": COLUMNS, "columnWidths": WIDTHS}
    client.set_experiment_tag(experiment_id, VIEW_TAG, json.dumps(view))


def serve_ui(project: Path, port: int, environment: str | None, when_ready: Callable[[str], None]) -> None:
    """Serve MLflow's user interface on 127.0.0.1 until it ends or is interrupted.

    Args:
        project: The project's folder.
        port: Port to listen on.
        environment: Kedro environment of the models to show; None for the one of the latest run.
        when_ready: Called with the address of the models once the server answers. Where
            ``MLFLOW_TRACKING_URI`` is a server, nothing else happens.

    Raises:
        TrackingError: There is no run yet, the port is taken, or the server does not start.
    """
    if is_own(project) and not own_database(project).exists():
        raise TrackingError(f"{NO_MODEL} to show yet. {TRAIN}")
    mlflow = open_store(project)
    with tracking_errors():
        client = mlflow.MlflowClient()
        experiment = _find_experiment(client, environment)
        share_view(client, experiment)
    # Without the workflow type, the page opens on tools for language models.
    models = f"#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={VIEW}"
    address = mlflow.get_tracking_uri()
    if address.startswith("http"):
        when_ready(f"{address.rstrip('/')}/{models}")
        return
    require_free_port(port)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(
        command, env=_environment(address), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", server)
            when_ready(f"http://127.0.0.1:{port}/{models}")
            server.wait()
        finally:
            server.terminate()


def require_free_port(port: int) -> None:
    """Check that no other server listens on a port, whose pages would be taken for MLflow's.

    Raises:
        TrackingError: The port is taken.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise TrackingError(f"Port {port} is taken. Choose another: kedro ui --port {port + 1}.")


def _environment(address: str) -> dict[str, str]:
    """Return the environment variables of the server."""
    settings = {ADDRESS: address, "MLFLOW_BACKEND_STORE_URI": address, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**os.environ, **settings}


def _find_experiment(client: "MlflowClient", environment: str | None) -> str:
    """Return the id of an environment's experiment; that of the latest run where no environment is given."""
    if environment:
        named = client.get_experiment_by_name(experiment_name(environment))
        found = [named] if named else []
    else:
        found = client.search_experiments(filter_string=f"name LIKE '{EXPERIMENT}%'")
    ids = [experiment.experiment_id for experiment in found]
    runs = client.search_runs(ids, order_by=["attributes.start_time DESC"], max_results=1) if ids else []
    if not runs:
        where = f" of --env {environment}" if environment else ""
        raise TrackingError(f"{NO_MODEL}{where} to show yet. {TRAIN}")
    return str(runs[0].info.experiment_id)


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    import requests

    for _ in range(START_TIMEOUT * 4):
        if server.poll() is not None:
            break
        try:
            requests.get(address, timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.25)
        else:
            return
    raise TrackingError("MLflow's server does not start. To see its errors, run .venv/bin/mlflow server.")
