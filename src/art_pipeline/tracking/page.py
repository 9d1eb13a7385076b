"""MLflow's page, opened on the models, ready to compare."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from art_pipeline.errors import TrackingError
from art_pipeline.tracking.store import EXPERIMENT, experiment_name, is_own, open_store, own_database, tracking_errors

SECONDS_TO_START = 60
NO_MODEL, TRAIN = "There is no model", "Train some: kedro run."
MAIN_METRICS = ("accuracy", "f1_macro", "log_loss")
# The page can be shared as someone has set it up: its columns and order are then a tag of the experiment.
VIEW = "models"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
COLUMNS = (
    "attributes.`Run Name`",
    "runDateAndNestInfo",
    *(f"metrics.`{name}`" for name in MAIN_METRICS),
    "duration",
    *(f"tags.`{name}`" for name in ("family", "session")),
    "attributes.`Version`",
    "attributes.`Models`",
)
WIDTHS = dict.fromkeys(COLUMNS, 110) | {"runDateAndNestInfo": 130, "attributes.`Run Name`": 240, "tags.`session`": 250}


def share_view(client: Any, experiment: str) -> None:
    """Let an experiment's page show the models with their main metrics, the most accurate first."""
    order = {"orderByKey": "metrics.`accuracy`", "orderByAsc": False}
    view = {**order, "selectedColumns": COLUMNS, "columnOrder": COLUMNS, "columnWidths": WIDTHS}
    client.set_experiment_tag(experiment, VIEW_TAG, json.dumps(view))


def serve_page(project: Path, port: int, environment: str | None, when_ready: Callable[[str], None]) -> None:
    """Serve MLflow's page on 127.0.0.1 until it ends or is interrupted.

    Args:
        project: The project's folder.
        port: Where to listen.
        environment: The Kedro environment whose models to show; None for the one that a model ran in last.
        when_ready: Called with the address of the models once the page answers.
            Where ``MLFLOW_TRACKING_URI`` names a server, that is all that happens.

    Raises:
        TrackingError: There is no run yet, the port is taken, or the page does not start.
    """
    if is_own(project) and not own_database(project).exists():
        raise TrackingError(f"{NO_MODEL} to show yet. {TRAIN}")
    mlflow = open_store(project)
    with tracking_errors():
        client = mlflow.MlflowClient()
        experiment = _find_experiment(client, environment)
        share_view(client, experiment)
    # Without the question the page opens on tools for language models.
    models = f"#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={VIEW}"
    if mlflow.get_tracking_uri().startswith("http"):  # a server that shows its page itself
        when_ready(f"{mlflow.get_tracking_uri().rstrip('/')}/{models}")
        return
    require_free(port)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    settings = {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": mlflow.get_tracking_uri(),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", server)
            when_ready(f"http://127.0.0.1:{port}/{models}")
            server.wait()
        finally:
            server.terminate()


def _find_experiment(client: Any, environment: str | None) -> str:
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
    return runs[0].info.experiment_id


def require_free(port: int) -> None:
    """Require that nobody listens on a port: that page would be taken for ours.

    Raises:
        TrackingError: It is taken.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise TrackingError(f"Port {port} is taken. Choose another: kedro ui --port {port + 1}.")


def _wait_for(address: str, server: subprocess.Popen) -> None:
    import requests

    for _ in range(SECONDS_TO_START * 4):
        if server.poll() is not None:
            break
        try:
            requests.get(address, timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.25)
        else:
            return
    raise TrackingError("MLflow's page does not start. What it says: .venv/bin/mlflow server.")
