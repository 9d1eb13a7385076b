"""MLflow's user interface, opened on the comparison of the models."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from art_pipeline.errors import TrackingError
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
from art_pipeline.tracking.views import ANALYSES, MODELS, SEARCHES, tag_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

START_TIMEOUT = 60  # seconds
NO_MODEL, TRAIN = "There is no model", "Train some: kedro run."
SEARCHES_OF = "searches of "  # before the name of a task


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

    Without an environment, it is that of the latest run. Then come the searches of tasks, and the analyses.
    """
    experiments = experiment_name(environment, "") if environment else EXPERIMENT
    runs = search_runs(client, experiments, order_by=["attributes.start_time DESC"])
    if not runs:
        where = f" of --env {environment}" if environment else ""
        raise TrackingError(f"{NO_MODEL}{where} to show yet. {TRAIN}")
    ids = list(dict.fromkeys(run.info.experiment_id for run in runs))
    found = [client.get_experiment(one) for one in ids]
    names = [str(one.name).rpartition("/") for one in found]
    own = [(one, task) for one, (prefix, _, task) in zip(found, names, strict=True) if prefix == names[0][0]]
    pages = {task: _page(one, MODELS) for one, task in own if task != ANALYSES_EXPERIMENT}
    pages |= {f"{SEARCHES_OF}{task}": _page(one, SEARCHES) for one, task in own if tag_of(SEARCHES) in one.tags}
    return pages | {task: _page(one, ANALYSES) for one, task in own if task == ANALYSES_EXPERIMENT}


def _page(experiment: "Experiment", view: str) -> str:
    # Without the workflow type, the page opens on tools for language models.
    shared = f"&viewStateShareKey={view}" if tag_of(view) in experiment.tags else ""
    return f"#/experiments/{experiment.experiment_id}/runs?workflowType=machine_learning{shared}"


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
