"""MLflow's view of a run. With the command line, the only place that imports MLflow, and not before a run."""

import functools
import hashlib
import logging
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import requests

from art_pipeline.compute import ComputeOptions
from art_pipeline.errors import TrackingError
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.record import ASKED, MODEL_CARD
from art_pipeline.lineage.surroundings import describe_source
from art_pipeline.options import flatten

EXPERIMENT = "art_pipeline"
PROCESS_TAG = "art_pipeline.process"
EXPERIMENT_TAG = "dvc.experiment"
RECORD_TAG = "lineage.record"
LINEAGE = "lineage"  # folder of a run's artifacts
# What a stored model needs, beside MLflow, to judge a picture.
NEEDED = ("numpy", "opencv-python", "pandas", "pillow", "pydantic", "scikit-learn", "scipy")
NEEDED_BY_NETWORKS = ("h5py", "keras")
MOST_METRICS = 1000  # that MLflow takes at once
# Shown beside the whole run, so that runs can be compared before they are unfolded.
HEADLINES = ("accuracy", "f1_macro")
LONGEST_VALUE = 500
SECONDS_TO_START = 60


def _as_tracking_error(method: Callable) -> Callable:
    """Turn what a store that cannot be used raises into one message."""

    @functools.wraps(method)
    def tracked(self: "Tracker", *args: Any, **kwargs: Any) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            return method(self, *args, **kwargs)
        except (MlflowException, OSError) as error:
            store = os.environ.get("MLFLOW_TRACKING_URI", "mlruns/mlflow.db")
            raise TrackingError(f"MLflow's store {store} cannot be used: {error}") from error

    return tracked


class Tracker:
    """One MLflow run per ``kedro run``, with a nested run for each model.

    The store is ``mlruns/mlflow.db`` with artifacts beside it, unless
    ``MLFLOW_TRACKING_URI`` names another. Runs of a DVC experiment carry its name.

    Args:
        project: The project's folder.
        command: What the user typed.
    """

    @_as_tracking_error
    def __init__(self, project: Path, command: str):
        self._project = project
        self._mlflow = configured_mlflow(project)
        self._client = self._mlflow.MlflowClient()
        self._experiment = self._find_experiment()
        self._end_abandoned()
        self._tags = {
            "kedro.command": command,
            "mlflow.source.name": command,
            PROCESS_TAG: _this_process(),
            **_git_tags(project),
            **_experiment_tags(),
        }
        self._models: dict[str, str] = {}
        self._digests: dict[Path, str] = {}
        self._parent = self._open(command)

    @_as_tracking_error
    def open_model(self, model: str) -> None:
        """Open a model's run, unless it is open already."""
        if model not in self._models:
            self._models[model] = self._open(model, {"mlflow.parentRunId": self._parent, "model": model})

    def open_models(self) -> list[str]:
        """Models whose runs are open."""
        return list(self._models)

    @_as_tracking_error
    def close_model(  # noqa: PLR0913, PLR0917 - all that a run shows
        self,
        model: str,
        parameters: Mapping[str, Any],
        inputs: Mapping[str, Path],
        outputs: Mapping[str, Path],
        metrics: Mapping[str, Any],
        example: Path,
        record: Path,
    ) -> None:
        """Log all that a model read and brought, and close its run.

        Args:
            model: Its name; `open_model` was called with it.
            parameters: Blocks of parameters that it depends on.
            inputs: Data that it read, by name, logged with DVC's digests.
            outputs: Files that it brought, by name; ``model`` is the trained model's folder,
                ``*_figure`` are figures, and ``history`` is a table of epochs.
            metrics: Numbers, nested or not; None is left out.
            example: A picture file, as an example of what the model takes.
            record: Its record of lineage, by whose digest the run is found again.
        """
        with self._mlflow.start_run(run_id=self._models.pop(model), nested=True):
            self._mlflow.log_params({key: str(value)[:LONGEST_VALUE] for key, value in flatten(parameters)})
            self._mlflow.log_metrics({key: value for key, value in flatten(metrics) if value is not None})
            folders = {name: path for name, path in outputs.items() if path.is_dir() and name != "model"}
            for name, path in {**inputs, **folders}.items():  # what is large is named by its digest, not copied
                self._mlflow.log_input(self._dataset(name, path), context=name)
            for name, path in outputs.items():
                if path.is_file():
                    self._mlflow.log_artifact(str(path), "figures" if name.endswith("_figure") else None)
            if record.exists():  # not where a part of the model's nodes ran and never the others
                for file in (record, record.with_name(MODEL_CARD), record.with_name(ASKED)):
                    self._mlflow.log_artifact(str(file), LINEAGE)
                self._mlflow.set_tag(RECORD_TAG, digest(record))
                self._mlflow.set_tag("mlflow.note.content", _how_to_verify(self._mlflow.active_run().info.run_id))
            if "history" in outputs:
                self._log_curves(outputs["history"])
            if "model" in outputs:
                self._log_model(outputs["model"], example, _backend(parameters))
        for name in HEADLINES:
            if name in metrics:
                self._client.log_metric(self._parent, f"{model}.{name}", metrics[name])

    @_as_tracking_error
    def log_file(self, path: Path) -> None:
        """Keep a file of the whole run, such as the report."""
        self._client.log_artifact(self._parent, str(path))

    @_as_tracking_error
    def close(self, status: str) -> None:
        """Close the run, and the models in it that did not come to their end."""
        for run in self._models.values():
            self._client.set_terminated(run, "FAILED" if status == "FINISHED" else status)
        self._models.clear()
        self._client.set_terminated(self._parent, status)

    def _find_experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            if found.lifecycle_stage == "deleted":  # in the page, by a click
                self._client.restore_experiment(found.experiment_id)
            return found.experiment_id
        local = self._mlflow.get_tracking_uri().startswith("sqlite:")
        artifacts = (runs_folder(self._project) / "artifacts").as_uri() if local else None
        return self._client.create_experiment(EXPERIMENT, artifact_location=artifacts)

    def _open(self, name: str, tags: Mapping[str, str] | None = None) -> str:
        tags = {**self._tags, **(tags or {})}
        full = f"{tags[EXPERIMENT_TAG]}: {name}" if EXPERIMENT_TAG in tags else name
        return self._client.create_run(self._experiment, run_name=full, tags=tags).info.run_id

    def _end_abandoned(self) -> None:
        """Mark runs of this machine whose process was killed and could not do so itself."""
        for run in self._client.search_runs([self._experiment], "attributes.status = 'RUNNING'"):
            process = run.data.tags.get(PROCESS_TAG, "")
            if process.startswith(f"{_machine()}:") and not _lives(process):
                self._client.set_terminated(run.info.run_id, "KILLED")

    def _dataset(self, name: str, path: Path) -> Any:
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset

        if path not in self._digests:
            self._digests[path] = digest(path)
        place = (path.relative_to(self._project) if path.is_relative_to(self._project) else path).as_posix()
        return MetaDataset(CodeDatasetSource(tags={"path": place}), name=name, digest=self._digests[path])

    def _log_curves(self, path: Path) -> None:
        """Every number of every epoch, so that the page draws curves and lays those of several runs over each other."""
        import pandas as pd
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        epochs = pd.read_csv(path).set_index("epoch").dropna(axis=1, how="all")  # no validation
        # Without a prefix, the last epoch's accuracy in training would be taken for the result's.
        epochs.columns = [name if name.startswith("val_") else f"train_{name}" for name in epochs]
        curves = [Metric(name, value, now, int(epoch)) for (epoch, name), value in epochs.stack().items()]
        run = self._mlflow.active_run().info.run_id
        for start in range(0, len(curves), MOST_METRICS):
            self._client.log_batch(run, metrics=curves[start : start + MOST_METRICS])

    def _log_model(self, folder: Path, example: Path, backend: str) -> None:
        import pandas as pd

        self._mlflow.pyfunc.log_model(
            name="model",
            loader_module="art_pipeline.models.pyfunc",
            data_path=str(folder),
            code_paths=[str(Path(__file__).parent)],
            signature=_signature(folder),
            input_example=pd.DataFrame({"image": [example.read_bytes()]}),
            pip_requirements=[f"{name}=={version(name)}" for name in _needed(folder, backend)],
        )


def _how_to_verify(run: str) -> str:
    """Shown above the run in MLflow's page."""
    return (
        f"Where this result comes from: `kedro lineage show {run}`. Whether every link of that still holds: "
        f"`kedro lineage verify {run}`. Its record is the artifact `{LINEAGE}/lineage.json`."
    )


def serve_page(project: Path, port: int, when_ready: Callable[[str], None]) -> None:
    """Serve MLflow's page on 127.0.0.1 until it ends or is interrupted.

    Args:
        project: The project's folder.
        port: Where to listen.
        when_ready: Called with the address of the experiment's runs once the page answers.
            Where ``MLFLOW_TRACKING_URI`` names a server, that is all that happens.

    Raises:
        TrackingError: There is no run yet, the port is taken, or the page does not start.
    """
    mlflow = configured_mlflow(project)
    found = mlflow.MlflowClient().get_experiment_by_name(EXPERIMENT)
    if found is None:
        raise TrackingError("There is no run to show yet. Start one: make run.")
    # Without the question the page opens on tools for language models.
    runs = f"#/experiments/{found.experiment_id}/runs?workflowType=machine_learning"
    if mlflow.get_tracking_uri().startswith("http"):  # a server that shows its page itself
        when_ready(f"{mlflow.get_tracking_uri().rstrip('/')}/{runs}")
        return
    _require_free(port)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": mlflow.get_tracking_uri(),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", server)
            when_ready(f"http://127.0.0.1:{port}/{runs}")
            server.wait()
        finally:
            server.terminate()


def _require_free(port: int) -> None:
    """Or the page of whoever listens there would be taken for ours."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise TrackingError(f"Port {port} is taken. Choose another: kedro ui --port {port + 1}.")


def _wait_for(address: str, server: subprocess.Popen) -> None:
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


def configured_mlflow(project: Path) -> ModuleType:
    """MLflow, on the project's store where ``MLFLOW_TRACKING_URI`` names no other."""
    import mlflow.pyfunc

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    if "MLFLOW_TRACKING_URI" not in os.environ:
        runs = runs_folder(project)
        runs.mkdir(exist_ok=True)
        mlflow.set_tracking_uri(f"sqlite:///{runs.as_posix()}/mlflow.db")
    return mlflow


def runs_folder(project: Path) -> Path:
    """Where runs are kept. DVC runs queued experiments in copies of the project, which it removes."""
    root = Path(os.environ.get("DVC_ROOT", project))
    return (root if project.is_relative_to(root) else project) / "mlruns"


def _backend(parameters: Mapping[str, Any]) -> str:
    """Of Keras; parameters may leave it out."""
    return ComputeOptions.model_validate(parameters.get("compute", {})).backend


def _needed(folder: Path, backend: str) -> list[str]:
    """Packages that a stored model, and those that it holds, are loaded with; of Keras' backends, the one in use."""
    from art_pipeline.models.classifier import CARD, read_card
    from art_pipeline.models.registry import NETWORKS

    if not any(read_card(card.parent)["kind"] in NETWORKS for card in folder.rglob(CARD)):
        return ["mlflow", *NEEDED]
    return ["mlflow", *NEEDED, *NEEDED_BY_NETWORKS, backend]


def _signature(folder: Path) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    from art_pipeline.models.classifier import read_card
    from art_pipeline.models.pyfunc import probability_columns

    names = ("probability", *probability_columns(read_card(folder)["classes"]))
    # A row without a usable image has a status alone.
    label = ColSpec("string", "label", required=False)
    probabilities = [ColSpec("double", name, required=False) for name in names]
    outputs = Schema([ColSpec("string", "status"), label, *probabilities])
    return ModelSignature(Schema([ColSpec("binary", "image")]), outputs)


def _machine() -> str:
    """A name for this machine, or container, that tells nothing of it."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _this_process() -> str:
    return f"{_machine()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def _lives(process: str) -> bool:
    """Whether a process of this machine is still there; a later one may have got its number."""
    _, pid, created = process.split(":")
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == created
    except psutil.NoSuchProcess:
        return False


def _experiment_tags() -> dict[str, str]:
    """The name of the DVC experiment that a run belongs to, where there is one."""
    return {EXPERIMENT_TAG: os.environ["DVC_EXP_NAME"]} if os.environ.get("DVC_EXP_NAME") else {}


def _git_tags(project: Path) -> dict[str, str]:
    source = describe_source(project)
    if source.commit is None:
        return {}
    return {"mlflow.source.git.commit": source.commit, "git.dirty": str(source.changes is not None).lower()}
