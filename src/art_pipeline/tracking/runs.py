"""A run in MLflow for each model: what it read, what it was set to, and what came of it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from art_pipeline.common.options import flatten
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.record import MODEL_CARD
from art_pipeline.tracking.database import ARTIFACTS
from art_pipeline.tracking.models import log_model
from art_pipeline.tracking.origin import EXPERIMENT_TAG, PROCESS_TAG, describe_origin, is_alive, machine
from art_pipeline.tracking.page import MAIN_METRICS, share_view
from art_pipeline.tracking.store import experiment_name, is_own, open_store, runs_folder, tracking_errors

RECORD_TAG = "lineage.record"
LINEAGE = "lineage"  # folder of a run's artifacts
MOST_METRICS = 1000  # that MLflow takes at once
LONGEST_VALUE = 500
SECONDS = "seconds"


@dataclass(frozen=True)
class Outcome:
    """What is logged of a model.

    Attributes:
        parameters: Blocks of parameters that it depends on; its own is ``model``.
        inputs: Data that it read, by name: logged with DVC's digests.
        outputs: Files and folders that it wrote, by name; ``model`` is the trained model's folder,
            ``*_figure`` are figures, and ``history`` is a table of epochs.
        metrics: Numbers, nested or not; None is left out.
        seconds: That its own nodes took.
        example: An image file, as an example of what the model takes.
        record: Its record of lineage, by whose digest the run is found again.
        tags: More to find it by.
    """

    parameters: Mapping[str, Any]
    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]
    metrics: Mapping[str, Any]
    seconds: float
    example: Path
    record: Path
    tags: Mapping[str, str] = field(default_factory=dict)


class Tracker:
    """The runs of the models that one ``kedro run`` trains or evaluates.

    All stand side by side in the experiment of the Kedro environment, so that its page shows models, and not
    commands; the tag ``session`` holds those together that one command brought.

    Args:
        project: The project's folder.
        environment: Kedro's.

    Raises:
        TrackingError: The store cannot be used; so from every method.
    """

    def __init__(self, project: Path, environment: str | None):
        self._project = project
        self._mlflow = open_store(project)
        self._client = self._mlflow.MlflowClient()
        with tracking_errors():
            self._experiment = self._find_experiment(experiment_name(environment))
            self._end_abandoned()
            self._tags = describe_origin(project)
        self._open: dict[str, str] = {}
        self._digests: dict[Path, str] = {}

    @tracking_errors()
    def open(self, model: str, tags: Mapping[str, str]) -> None:
        """Open a model's run, unless it is open already."""
        if model not in self._open:
            tried = self._tags.get(EXPERIMENT_TAG)
            name = f"{model} ({tried})" if tried else model
            run = self._client.create_run(self._experiment, run_name=name, tags={**self._tags, "model": model, **tags})
            self._open[model] = run.info.run_id

    @property
    def open_models(self) -> list[str]:
        """Models whose runs are open."""
        return list(self._open)

    @tracking_errors()
    def close(self, model: str, outcome: Outcome) -> None:
        """Log all that a model read and wrote, and close its run, which lasted as long as its own nodes."""
        with self._finished(self._open.pop(model), outcome.seconds) as run:
            parameters = {"family": outcome.parameters["model"]["kind"], **dict(flatten(outcome.parameters))}
            self._mlflow.log_params({key: str(value)[:LONGEST_VALUE] for key, value in parameters.items()})
            self._mlflow.set_tags(dict(outcome.tags))
            self._log_data(outcome)
            self._log_files(outcome.outputs)
            if outcome.record.exists():  # not where a part of the model's nodes ran and never the others
                self._log_record(outcome.record, run)
            if "history" in outcome.outputs:
                self._log_curves(outcome.outputs["history"], run)
            stored = None
            if "model" in outcome.outputs:
                stored = log_model(model, outcome.outputs["model"], outcome.example, outcome.parameters)
            # What pages of comparisons show first is the metric that was logged first.
            self._mlflow.log_metrics(_in_order(outcome.metrics), model_id=stored)
            self._mlflow.log_metric(SECONDS, round(outcome.seconds, 1), model_id=stored)

    @tracking_errors()
    def abandon(self, status: str) -> None:
        """Close the runs of models that did not come to their end."""
        for run in self._open.values():
            self._client.set_terminated(run, status)
        self._open.clear()

    @contextmanager
    def _finished(self, run: str, seconds: float) -> Iterator[str]:
        with self._mlflow.start_run(run_id=run, nested=True) as active:
            yield run
        self._client.set_terminated(run, end_time=active.info.start_time + round(1000 * seconds))

    def _find_experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            place = (runs_folder(self._project) / ARTIFACTS).as_uri() if is_own(self._project) else None
            experiment = self._client.create_experiment(name, artifact_location=place)
        else:
            experiment = found.experiment_id
            if found.lifecycle_stage == "deleted":  # in the page, by a click
                self._client.restore_experiment(experiment)
        share_view(self._client, experiment)
        return experiment

    def _end_abandoned(self) -> None:
        """Mark runs of this machine whose process was killed and could not do so itself."""
        for run in self._client.search_runs([self._experiment], "attributes.status = 'RUNNING'"):
            process = run.data.tags.get(PROCESS_TAG, "")
            if process.startswith(f"{machine()}:") and not is_alive(process):
                self._client.set_terminated(run.info.run_id, "KILLED")

    def _log_data(self, outcome: Outcome) -> None:
        """Inputs, and outputs that are folders: what is large is named by its digest, not copied."""
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset

        folders = {name: path for name, path in outcome.outputs.items() if path.is_dir() and name != "model"}
        for name, path in {**outcome.inputs, **folders}.items():
            place = (path.relative_to(self._project) if path.is_relative_to(self._project) else path).as_posix()
            source = CodeDatasetSource(tags={"path": place})
            self._mlflow.log_input(MetaDataset(source, name=name, digest=self._digest(path)), context=name)

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = digest(path)
        return self._digests[path]

    def _log_files(self, outputs: Mapping[str, Path]) -> None:
        for name, path in outputs.items():
            if path.is_file():
                self._mlflow.log_artifact(str(path), "figures" if name.endswith("_figure") else None)

    def _log_record(self, record: Path, run: str) -> None:
        for file in (record, record.with_name(MODEL_CARD)):
            if file.exists():
                self._mlflow.log_artifact(str(file), LINEAGE)
        self._mlflow.set_tags({RECORD_TAG: digest(record), "mlflow.note.content": _how_to_verify(run)})

    def _log_curves(self, path: Path, run: str) -> None:
        """Every number of every epoch, so that the page draws curves and lays those of several runs over each other."""
        import pandas as pd
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        epochs = pd.read_csv(path).set_index("epoch").dropna(axis=1, how="all")  # no validation
        # Without a prefix, the last epoch's accuracy in training would be taken for the result's.
        epochs.columns = [name if name.startswith("val_") else f"train_{name}" for name in epochs]
        curves = [Metric(name, value, now, int(epoch)) for (epoch, name), value in epochs.stack().items()]
        for start in range(0, len(curves), MOST_METRICS):
            self._client.log_batch(run, metrics=curves[start : start + MOST_METRICS])


def _in_order(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Flat metrics, the main ones first, without those that are undefined."""
    values = {key: value for key, value in flatten(metrics) if value is not None}
    return {key: values[key] for key in (*MAIN_METRICS, *values) if key in values}


def _how_to_verify(run: str) -> str:
    """Shown above the run in MLflow's page."""
    return (
        f"Where this result comes from: `kedro lineage show {run}`. Whether every link of that still holds: "
        f"`kedro lineage verify {run}`. Its record is the artifact `{LINEAGE}/lineage.json`."
    )
