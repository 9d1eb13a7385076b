"""MLflow is told of each model: when its nodes start, what came of them, and how long they took."""

import atexit
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.record import record_file
from art_pipeline.pipelines.parameters import check_parameters, models_in

if TYPE_CHECKING:
    from art_pipeline.tracking.runs import Outcome, Tracker


class ModelClock:
    """How long each model's own nodes took: nodes of several models run in turn."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._mark = 0.0

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Start at nothing."""
        self.seconds.clear()

    @hook_impl(trylast=True)
    def before_node_run(self) -> None:
        """Start a node, after what other hooks do."""
        self._mark = perf_counter()

    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, node: Node) -> None:
        """Add what passed: a folder is filled while it is saved."""
        now = perf_counter()
        if node.namespace:
            self.seconds[node.namespace] = self.seconds.get(node.namespace, 0) + now - self._mark
        self._mark = now


class MlflowHooks:
    """Logs a run for each model; a pipeline without models is none of MLflow's business.

    Args:
        clock: How long models took.
    """

    def __init__(self, clock: ModelClock) -> None:
        self._clock = clock
        self._project = self._data = Path()
        self._environment: str | None = None
        self._parameters: dict[str, Any] = {}
        self._tracker: Tracker | None = None
        self._catalog: DataCatalog
        self._models: dict[str, Pipeline] = {}
        self._awaited: dict[str, set[str]] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the project is, and its parameters."""
        self._project, self._environment = context.project_path, context.env
        self._data = context.project_path / context.config_loader["globals"]["data"]
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the store, before hours of work, and note what is awaited of each model."""
        self._catalog = catalog
        self._models = {name: _part(pipeline, name) for name in sorted(_namespaces(pipeline))}
        self._awaited = {name: set(part.all_outputs()) for name, part in self._models.items()}
        if self._models:
            from art_pipeline.tracking.runs import Tracker

            self._tracker = Tracker(self._project, self._environment)
            atexit.register(self._abandon, "KILLED")  # Kedro tells its hooks nothing of Ctrl-C

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Open a model's run before its first node."""
        if node.namespace in self._models:
            self._tracker.open(node.namespace, self._tags(node.namespace))

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Close a model's run when all that it brings is there."""
        awaited = self._awaited.get(node.namespace, set())
        awaited.discard(dataset_name)
        if node.namespace in self._models and not awaited:
            self._close(node.namespace)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Close what is open: the models of whose outputs a run of missing ones made but a part."""
        for model in self._tracker.open_models if self._tracker else ():
            self._close(model)
        self._abandon("FAILED")

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Mark the models that were under way as failed."""
        self._abandon("FAILED")

    def _abandon(self, status: str) -> None:
        if self._tracker:
            self._tracker.abandon(status)
            self._tracker = None
        atexit.unregister(self._abandon)

    def _close(self, model: str) -> None:
        self._tracker.close(model, self._outcome(model, self._models[model]))

    def _outcome(self, model: str, part: Pipeline) -> "Outcome":
        from art_pipeline.tracking.runs import Outcome

        read = sorted(name for name in part.inputs() if not name.startswith("params:"))
        written = {name.removeprefix(f"{model}."): name for name in sorted(part.all_outputs())}
        return Outcome(
            parameters=self._parameters_of(model),
            inputs={name: self._catalog[name].path for name in read},
            outputs={short: self._catalog[name].path for short, name in written.items()},
            metrics=self._catalog.load(written["metrics"]) if "metrics" in written else {},
            seconds=self._clock.seconds.get(model, 0),
            example=min(self._catalog["images"].path.iterdir()),
            record=record_file(self._data, model),
            tags={"data": digest(self._catalog["manifest"].path)} if self._catalog["manifest"].path.exists() else {},
        )

    def _tags(self, model: str) -> dict[str, str]:
        options = check_parameters(self._parameters)
        return {"family": options[model].kind, "museum": str(options["sources"].addresses)}

    def _parameters_of(self, model: str) -> dict[str, Any]:
        """The stages' blocks, and the model's own as ``model``: under one name for all, MLflow compares them."""
        models = models_in(self._parameters)
        stages = {name: block for name, block in self._parameters.items() if name not in models}
        return stages | {"model": self._parameters[model]}


def _namespaces(pipeline: Pipeline) -> set[str]:
    """The models of a pipeline: each is a namespace."""
    return {node.namespace for node in pipeline.nodes if node.namespace}


def _part(pipeline: Pipeline, namespace: str) -> Pipeline:
    return Pipeline([node for node in pipeline.nodes if node.namespace == namespace])
