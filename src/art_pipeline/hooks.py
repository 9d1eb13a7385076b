"""What happens around a run: parameters are checked, MLflow hears of it, and a person is told the end."""

import atexit
import logging
import sys
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from art_pipeline.compute import ComputeOptions, check_backend
from art_pipeline.config import read_parameters
from art_pipeline.dvc_yaml import FILE as DVC_YAML
from art_pipeline.dvc_yaml import read_dvc_yaml, tracked_paths
from art_pipeline.lineage_hooks import find_overrides, place_of, record_file
from art_pipeline.pipelines.code import parameter_keys
from art_pipeline.pipelines.parameters import check_parameters, check_wiring, models_in
from art_pipeline.tracking import Tracker

log = logging.getLogger(__name__)


class ParameterHooks:
    """Stops a run whose parameters cannot be used, before it starts."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check all parameters, those of stages that will not run too."""
        parameters = context.config_loader["parameters"]
        check_parameters(parameters)
        check_wiring(read_parameters(context.project_path / "params.yaml"), parameters)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check that Keras can run, where it will."""
        if "params:compute" in pipeline.inputs():
            check_backend(ComputeOptions.model_validate(catalog.load("params:compute")))


class DvcHooks:
    """Tells of what DVC does not see: parameters that do not come from params.yaml."""

    def __init__(self) -> None:
        self._project = Path()
        self._unseen: dict[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Find what an environment and ``--params`` set."""
        self._project = context.project_path
        self._unseen = find_overrides(context)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Warn where it decides on what this run writes in place of what DVC keeps."""
        keys = parameter_keys(pipeline.nodes, self._unseen)
        unseen = [key for key in self._unseen if any(f"{key}.".startswith(f"{block}.") for block in keys)]
        kept = tracked_paths(read_dvc_yaml(self._project / DVC_YAML)) if unseen else set()
        paths = {place_of(catalog, name, self._project) for name in pipeline.all_outputs()}
        changed = sorted({path.parent.as_posix() for path in paths if path and path.as_posix() in kept})
        if changed:
            log.warning(
                "%s not as in params.yaml, which is all that DVC sees. dvc status will show what this run changes "
                "under %s; dvc checkout --force brings the former back.",
                " and ".join(f"{key}={self._unseen[key]}" for key in unseen),
                ", ".join(changed),
            )


class MlflowHooks:
    """One MLflow run per ``kedro run``, and one per model nested in it."""

    def __init__(self) -> None:
        self._project = self._data = Path()
        self._parameters: dict[str, Any] = {}
        self._tracker: Tracker
        self._catalog: DataCatalog
        self._models: dict[str, Pipeline] = {}
        self._awaited: dict[str, set[str]] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the project is, and its parameters."""
        self._project = context.project_path
        self._data = context.project_path / context.config_loader["globals"]["data"]
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the run, and note what is awaited of each model."""
        self._catalog = catalog
        self._models = {name: _part(pipeline, name) for name in sorted(_namespaces(pipeline))}
        self._awaited = {name: set(part.all_outputs()) for name, part in self._models.items()}
        self._tracker = Tracker(self._project, _command())
        atexit.register(self._tracker.close, "KILLED")  # Kedro tells its hooks nothing of Ctrl-C

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Open a model's run before its first node."""
        if node.namespace in self._models:
            self._tracker.open_model(node.namespace)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Close a model's run when all that it brings is there."""
        awaited = self._awaited.get(node.namespace, set())
        awaited.discard(dataset_name)
        if node.namespace in self._models and not awaited:
            self._close_model(node.namespace)

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline) -> None:
        """Close the run."""
        for model in self._tracker.open_models():  # of whose outputs a run of missing ones made but a part
            self._close_model(model)
        if "report" in pipeline.all_outputs():
            self._tracker.log_file(self._catalog["report"].path)
        self._close("FINISHED")

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Mark the run, and the models that were under way in it, as failed."""
        self._close("FAILED")

    def _close_model(self, model: str) -> None:
        part = self._models[model]
        read = sorted(name for name in part.inputs() if not name.startswith("params:"))
        brought = {name.removeprefix(f"{model}."): name for name in sorted(part.all_outputs())}
        self._tracker.close_model(
            model,
            parameters=self._parameters_of(model),
            inputs={name: self._catalog[name].path for name in read},
            outputs={short: self._catalog[name].path for short, name in brought.items()},
            metrics=self._catalog.load(brought["metrics"]) if "metrics" in brought else {},
            example=min(self._catalog["images"].path.iterdir()),
            record=record_file(self._data, model),
        )

    def _close(self, status: str) -> None:
        self._tracker.close(status)
        atexit.unregister(self._tracker.close)

    def _parameters_of(self, model: str) -> dict[str, Any]:
        """The stages' blocks, and the model's own as ``model``: under one name for all, MLflow compares them."""
        models = models_in(self._parameters)
        stages = {name: block for name, block in self._parameters.items() if name not in models}
        return stages | {"model": self._parameters[model]}


class SummaryHooks:
    """Ends a run by saying what was measured, and where to look.

    Args:
        tracked: Whether MLflow hears of the run.
    """

    def __init__(self, tracked: bool) -> None:
        self._tracked = tracked

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Log a line per model, the report's place, and how to open the MLflow page."""
        made = sorted(name for name in pipeline.all_outputs() if name.endswith(".metrics"))
        measured = [name for name in made if catalog.exists(name)]  # not all models need be trained
        for name in measured:
            log.info("%s", _summary(name.removesuffix(".metrics"), catalog.load(name)))
        if "report" in pipeline.all_outputs():
            log.info("Report:  %s", _shown(catalog["report"].path))
        if measured and self._tracked:
            log.info("MLflow:  make ui")


def _namespaces(pipeline: Pipeline) -> set[str]:
    """The models of a pipeline: each is a namespace."""
    return {node.namespace for node in pipeline.nodes if node.namespace}


def _part(pipeline: Pipeline, namespace: str) -> Pipeline:
    return Pipeline([node for node in pipeline.nodes if node.namespace == namespace])


def _command() -> str:
    """What the user typed, without the place of the program."""
    program = Path(sys.argv[0]).stem
    return " ".join(["kedro", *sys.argv[1:]]) if program.endswith(("kedro", "__main__")) else program


def _summary(model: str, metrics: dict[str, Any]) -> str:
    accuracy, interval = metrics["accuracy"], metrics["interval_95"]["accuracy"]
    return (
        f"{model}: accuracy {accuracy:.3f} (95 % interval {interval['low']:.3f} to {interval['high']:.3f}), "
        f"macro F1 {metrics['f1_macro']:.3f}, on {metrics['n']} test objects"
    )


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
