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
from art_pipeline.evaluation.kinds import MAIN_METRICS, Kind
from art_pipeline.pipelines.names import ANALYSES_EXPERIMENT
from art_pipeline.tracking.store import (
    ADDRESS,
    EXPERIMENT,
    experiment_name,
    is_own,
    open_store,
    own_database,
    search_runs,
    tracking_errors,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

START_TIMEOUT = 60  # seconds
NO_MODEL, TRAIN = "There is no model", "Train some: kedro run."
# MLflow stores a shared view, with its columns and order, as a tag of the experiment.
VIEW = "models"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"


def shown_metrics(kind: Kind) -> tuple[str, ...]:
    """Return the metrics that the page shows, the one that models are ranked by first."""
    main = MAIN_METRICS[kind]
    return main.first, main.second, "log_loss" if kind == "multiclass" else "f1_macro"


def share_view(client: "MlflowClient", experiment_id: str, kind: Kind) -> None:
    """Store a view of a task's experiment with the main metrics of its models, the best first."""
    metrics = [f"metrics.`{name}`" for name in shown_metrics(kind)]
    tags = [f"tags.`{name}`" for name in ("family", "session")]
    columns = ["attributes.`Run Name`", "runDateAndNestInfo", *metrics, "duration", *tags]
    columns += ["attributes.`Version`", "attributes.`Models`"]
    widths = dict.fromkeys(columns, 110) | {columns[0]: 240, columns[1]: 130, tags[-1]: 250}
    order = {"orderByKey": metrics[0], "orderByAsc": False}
    view = {**order, "selectedColumns": columns, "columnOrder": columns, "columnWidths": widths}
    client.set_experiment_tag(experiment_id, VIEW_TAG, json.dumps(view))


def serve_ui(project: Path, port: int, environment: str | None, when_ready: Callable[[dict[str, str]], None]) -> None:
    """Serve MLflow's user interface on 127.0.0.1 until it ends or is interrupted.

    Args:
        project: The project's folder.
        port: Port to listen on.
        environment: Kedro environment of the models to show; None for the one of the latest run.
        when_ready: Called with the address of the models of each task, that of the latest run first, once the server
            answers. Where ``MLFLOW_TRACKING_URI`` is a server, nothing else happens.

    Raises:
        TrackingError: There is no run yet, the port is taken, or the server does not start.
    """
    if is_own(project) and not own_database(project).exists():
        raise TrackingError(f"{NO_MODEL} to show yet. {TRAIN}")
    mlflow = open_store(project)
    with tracking_errors():
        pages = _find_pages(mlflow.MlflowClient(), environment)
    address = mlflow.get_tracking_uri()
    if address.startswith("http"):
        when_ready({task: f"{address.rstrip('/')}/{page}" for task, page in pages.items()})
        return
    require_free_port(port)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(
        command, env=_environment(address), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server, "To see its errors, run .venv/bin/mlflow server.")
            when_ready({task: f"http://127.0.0.1:{port}/{page}" for task, page in pages.items()})
            server.wait()
        finally:
            server.terminate()


def require_free_port(port: int, command: str = "kedro ui") -> None:
    """Check that no other server listens on a port, whose pages would be taken for MLflow's.

    Raises:
        TrackingError: The port is taken.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise TrackingError(f"Port {port} is taken. Choose another: {command} --port {port + 1}.")


def _environment(address: str) -> dict[str, str]:
    """Return the environment variables of the server."""
    settings = {ADDRESS: address, "MLFLOW_BACKEND_STORE_URI": address, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**os.environ, **settings}


def _find_pages(client: "MlflowClient", environment: str | None) -> dict[str, str]:
    """Return the page of each task of an environment that has runs, by task, that of the latest run first.

    Without an environment, it is that of the latest run. The page of the analyses is last.
    """
    experiments = experiment_name(environment, "") if environment else EXPERIMENT
    runs = search_runs(client, experiments, order_by=["attributes.start_time DESC"])
    if not runs:
        where = f" of --env {environment}" if environment else ""
        raise TrackingError(f"{NO_MODEL}{where} to show yet. {TRAIN}")
    ids = list(dict.fromkeys(run.info.experiment_id for run in runs))
    names = [str(client.get_experiment(one).name).rpartition("/") for one in ids]
    pages = {task: _page(one, task) for one, (prefix, _, task) in zip(ids, names, strict=True) if prefix == names[0][0]}
    return dict(sorted(pages.items(), key=lambda page: page[0] == ANALYSES_EXPERIMENT))


def _page(experiment: str, task: str) -> str:
    # Without the workflow type, the page opens on tools for language models.
    view = "" if task == ANALYSES_EXPERIMENT else f"&viewStateShareKey={VIEW}"
    return f"#/experiments/{experiment}/runs?workflowType=machine_learning{view}"


def wait_for(address: str, server: "subprocess.Popen[bytes]", hint: str, timeout: float = START_TIMEOUT) -> None:
    """Wait until a server answers.

    Raises:
        TrackingError: It ends, or does not answer for ``timeout`` seconds; ``hint`` says where its errors are.
    """
    import requests

    for _ in range(round(timeout * 4)):
        if server.poll() is not None:
            break
        try:
            requests.get(address, timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.25)
        else:
            return
    raise TrackingError(f"MLflow's server does not start. {hint}")
