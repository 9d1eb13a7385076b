"""Log one MLflow run for each model: parameters, data sets, metrics, files and the model."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from art_pipeline.common.options import flatten
from art_pipeline.evaluation.kinds import Kind, kind_of_metrics
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.record import MODEL_CARD
from art_pipeline.lineage.verify_mlflow import MAX_PARAMETER
from art_pipeline.pipelines.names import ANALYSES_EXPERIMENT
from art_pipeline.tracking.analyses import AnalysisRun
from art_pipeline.tracking.live import LiveRun, log_curves
from art_pipeline.tracking.models import log_model
from art_pipeline.tracking.run_tags import EXPERIMENT_TAG, PROCESS_TAG, is_alive, origin_tags, this_machine
from art_pipeline.tracking.search import SearchRun
from art_pipeline.tracking.store import (
    ARTIFACTS,
    LINEAGE,
    RECORD_TAG,
    SEARCH,
    SECONDS,
    experiment_name,
    is_own,
    open_store,
    search_runs,
    tracking_errors,
)
from art_pipeline.tracking.views import COST, share_analysis_view, share_model_view, share_search_view, shown_metrics


@dataclass(frozen=True)
class Outcome:
    """What to log of a model.

    Attributes:
        parameters: The parameter blocks that it depends on; its own is ``model``.
        inputs: Data sets that it read, by name; logged with DVC's digests.
        outputs: Files and folders that it wrote, by name: ``model`` is the folder of the trained model, ``selective``
            the table of its thresholds, ``*_figure`` are figures, and ``history`` is a table of epochs.
        metrics: Numbers, possibly nested; None is not logged.
        seconds: Run time of its own nodes.
        example: An image file, logged as the input example of the model.
        record: Its record of lineage, by whose digest the run is found again.
        tags: Additional tags.
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
    """Logs the runs of the models that one ``kedro run`` trains or evaluates.

    The runs are not nested, so that MLflow's page lists models; the tag ``session`` groups those of one command.

    Args:
        project: The project's folder.
        environment: The Kedro environment; each of its tasks has an experiment of its own.

    Raises:
        TrackingError: The store cannot be used; also from every method.
    """

    def __init__(self, project: Path, environment: str | None):
        self._project, self._environment = project, environment
        self._mlflow = open_store(project)
        self._client = self._mlflow.MlflowClient()
        self._experiments: dict[str, str] = {}
        with tracking_errors():
            self._end_abandoned()
            self._tags = origin_tags(project)
        self._open: dict[str, str] = {}
        self._live: dict[str, LiveRun] = {}
        self._digests: dict[Path, str] = {}

    @tracking_errors()
    def open(self, model: str, task: str, kind: Kind, tags: Mapping[str, str]) -> None:
        """Start a model's run in the experiment of its task, unless it is open already.

        Args:
            model: Name of the model.
            task: Name of its task.
            kind: Kind of the task, on which the metrics that the page shows depend.
            tags: Additional tags.
        """
        if model not in self._open:
            of_dvc = self._tags.get(EXPERIMENT_TAG)
            name = f"{model} ({of_dvc})" if of_dvc else model
            own = {"model": model, "task": task, **tags}
            run = self._client.create_run(self._experiment(task, kind), run_name=name, tags=self._tags | own)
            self._open[model] = run.info.run_id

    @tracking_errors()
    def open_search(self, model: str, task: str, kind: Kind) -> SearchRun:
        """Start the run of a search of a model's parameters, in the experiment of its task."""
        own, experiment = {SEARCH: model, "task": task}, self._experiment(task, kind)
        share_search_view(self._client, experiment, kind)
        run = self._client.create_run(experiment, run_name=f"search {model}", tags=self._tags | own)
        return SearchRun(self._client, run.info.run_id, model)

    @tracking_errors()
    def open_analysis(self, stage: str, key: str, parameters: Mapping[str, Any], shown: Sequence[str]) -> AnalysisRun:
        """Start the run of an analysis, in the experiment of all analyses.

        Args:
            stage: Stage of the analysis.
            key: Key of its kind in params.yaml.
            parameters: Its parameters.
            shown: Metrics of all analyses that the page shows.
        """
        experiment = self._find_experiment(experiment_name(self._environment, ANALYSES_EXPERIMENT))
        share_analysis_view(self._client, experiment, shown)
        tags = self._tags | {"analysis": key}
        run = self._client.create_run(experiment, run_name=stage, tags=tags)
        return AnalysisRun(self._mlflow, run.info.run_id, parameters)

    def live(self, model: str) -> LiveRun:
        """Return the listener that logs a model's training to its open run."""
        return self._live.setdefault(model, LiveRun(self._client, self._open[model]))

    @property
    def open_models(self) -> list[str]:
        """The models whose runs are open."""
        return list(self._open)

    @tracking_errors()
    def close(self, model: str, outcome: Outcome) -> None:
        """Log what a model read and wrote, and end its run, whose duration is the run time of the model's nodes."""
        with self._finished(self._open.pop(model), outcome.seconds) as run:
            parameters = {"family": outcome.parameters["model"]["kind"], **dict(flatten(outcome.parameters))}
            self._mlflow.log_params({key: str(value)[:MAX_PARAMETER] for key, value in parameters.items()})
            self._mlflow.set_tags(dict(outcome.tags))
            self._log_data(outcome)
            self._log_files(outcome.outputs)
            if outcome.record.exists():  # it is missing where only some of the model's nodes have ever run
                self._log_record(outcome.record, run)
            if "history" in outcome.outputs:
                log_curves(self._client, run, outcome.outputs["history"], self._live.pop(model, None))
            stored = None
            if "model" in outcome.outputs:
                stored = log_model(
                    model,
                    outcome.outputs["model"],
                    outcome.example,
                    outcome.parameters,
                    outcome.outputs.get("selective"),
                )
            # MLflow's page shows first the metric that was logged first.
            self._mlflow.log_metrics(_in_order(outcome.metrics), model_id=stored)
            self._mlflow.log_metric(SECONDS, round(outcome.seconds, 1), model_id=stored)
        if COST in outcome.metrics:
            experiment = self._client.get_run(run).info.experiment_id
            share_model_view(self._client, experiment, kind_of_metrics(outcome.metrics), costs=True)

    @tracking_errors()
    def abandon(self, status: str) -> None:
        """End the runs of unfinished models with a status: ``FAILED`` or ``KILLED``."""
        for run in self._open.values():
            self._client.set_terminated(run, status)
        self._open.clear()

    @contextmanager
    def _finished(self, run: str, seconds: float) -> Iterator[str]:
        with self._mlflow.start_run(run_id=run, nested=True) as active:
            yield run
        self._client.set_terminated(run, end_time=active.info.start_time + round(1000 * seconds))

    def _experiment(self, task: str, kind: Kind) -> str:
        if task not in self._experiments:
            found = self._find_experiment(experiment_name(self._environment, task))
            share_model_view(self._client, found, kind)
            self._experiments[task] = found
        return self._experiments[task]

    def _find_experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found and found.lifecycle_stage == "deleted":  # in MLflow's page
            self._client.restore_experiment(found.experiment_id)
        location = ARTIFACTS if is_own(self._project) else None
        return str(found.experiment_id if found else self._client.create_experiment(name, location))

    def _end_abandoned(self) -> None:
        """Mark running runs of this machine as killed where their process no longer exists."""
        for run in search_runs(self._client, experiment_name(self._environment, ""), "attributes.status = 'RUNNING'"):
            process = run.data.tags.get(PROCESS_TAG, "")
            if process.startswith(f"{this_machine()}:") and not is_alive(process):
                self._client.set_terminated(run.info.run_id, "KILLED")

    def _log_data(self, outcome: Outcome) -> None:
        """Log inputs, and outputs that are folders, by their digests, without copying them."""
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset

        folders = {name: path for name, path in outcome.outputs.items() if path.is_dir() and name != "model"}
        for name, path in {**outcome.inputs, **folders}.items():
            inside = path.is_relative_to(self._project)
            source = CodeDatasetSource(tags={"path": (path.relative_to(self._project) if inside else path).as_posix()})
            dataset = MetaDataset(source, name=name, digest=self._digest(path))  # type: ignore[abstract]  # not in fact
            self._mlflow.log_input(dataset, context=name)

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


def _in_order(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return flat metrics, the main ones first, without undefined ones."""
    values = {key: value for key, value in flatten(metrics) if value is not None}
    return {key: values[key] for key in (*shown_metrics(kind_of_metrics(metrics)), *values) if key in values}


def _how_to_verify(run: str) -> str:
    """Return the description of the run on MLflow's page."""
    return (
        f"Provenance of this result: `kedro lineage show {run}`. To check it: `kedro lineage verify {run}`. "
        f"Its record is the artifact `{LINEAGE}/lineage.json`."
    )
