"""Log an MLflow run for each model that is trained or evaluated."""

import atexit
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from art_pipeline.common.training_events import listen
from art_pipeline.hooks.nodes import absolute_path, model_of
from art_pipeline.hooks.parameters import sources_of
from art_pipeline.hooks.timing import ModelTimer
from art_pipeline.hooks.tracked import TrackedHooks
from art_pipeline.lineage.digest import digest
from art_pipeline.lineage.record import record_file
from art_pipeline.pipelines.parameters import check_parameters, models_in, tasks_in

if TYPE_CHECKING:
    from art_pipeline.tracking.runs import Outcome, Tracker


class MlflowHooks(TrackedHooks):
    """Logs a run for each model of a pipeline.

    Args:
        timer: Run time of the models.
    """

    def __init__(self, timer: ModelTimer) -> None:
        super().__init__()
        self._timer = timer
        self._tracker: Tracker | None = None
        self._models: dict[str, Pipeline] = {}
        self._missing: dict[str, set[str]] = {}

    @hook_impl(trylast=True)  # where no other hook refuses the run
    def before_pipeline_run(self, catalog: DataCatalog, pipeline: Pipeline) -> None:  # type: ignore[override]  # by name
        """Open the store, so that an unusable one stops the run before its work."""
        super().before_pipeline_run(catalog)
        self._models = _model_pipelines(pipeline)
        self._missing = {name: set(part.all_outputs()) for name, part in self._models.items()}
        if self._models:
            self._tracker = self._open_tracker()
            atexit.register(self._abandon, "KILLED")  # Kedro calls no hook after Ctrl-C

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start a model's run before its first node."""
        if self._tracker and (model := model_of(node)):
            task = self._parameters[model]["task"]
            self._tracker.open(model, task, tasks_in(self._parameters)[task].kind, self._tags(model))
            listen(self._tracker.live(model))

    @hook_impl(trylast=True)  # after the record of lineage is written
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """End a model's run after its last output."""
        listen(None)
        if model := model_of(node):
            self._missing[model].discard(dataset_name)
            if not self._missing[model]:
                self._close(model)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """End the runs of models that wrote only some outputs, since the others existed."""
        for model in self._tracker.open_models if self._tracker else ():
            self._close(model)
        self._abandon("FAILED")

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Mark the runs of unfinished models as failed."""
        self._abandon("FAILED")

    def _abandon(self, status: str) -> None:
        if self._tracker:
            self._tracker.abandon(status)
            self._tracker = None
        atexit.unregister(self._abandon)

    def _close(self, model: str) -> None:
        if self._tracker:
            self._tracker.close(model, self._outcome(model, self._models[model]))

    def _outcome(self, model: str, part: Pipeline) -> "Outcome":
        from art_pipeline.tracking.runs import Outcome

        read = sorted(name for name in part.inputs() if not name.startswith("params:"))
        manifest = absolute_path(self._catalog, f"{self._parameters[model]['task']}.manifest")
        written = {name.removeprefix(f"{model}."): name for name in sorted(part.all_outputs())}
        return Outcome(
            parameters=self._parameters_of(model),
            inputs={name: absolute_path(self._catalog, name) for name in read},
            outputs={short: absolute_path(self._catalog, name) for short, name in written.items()},
            metrics=self._catalog.load(written["metrics"]) if "metrics" in written else {},
            seconds=self._timer.seconds.get(model, 0),
            example=min(absolute_path(self._catalog, "images").iterdir()),
            record=record_file(self._data, model),
            tags={"data": digest(manifest)} if manifest.exists() else {},
        )

    def _tags(self, model: str) -> dict[str, str]:
        sources = sources_of(check_parameters(self._parameters))
        own = self._parameters[model]
        return {"family": own["kind"], "museum": str(sources.addresses)}

    def _parameters_of(self, model: str) -> dict[str, Any]:
        """Return the blocks of the stages, the model's own as ``model`` and its task's as ``task``.

        With the same names for all models, MLflow compares them.
        """
        others = {*models_in(self._parameters), "tasks"}
        stages = {name: block for name, block in self._parameters.items() if name not in others}
        task = self._parameters["tasks"][self._parameters[model]["task"]]
        return stages | {"task": task, "model": self._parameters[model]}


def _model_pipelines(pipeline: Pipeline) -> dict[str, Pipeline]:
    """Return the nodes of each model as a pipeline; each model is a namespace."""
    models = sorted({model for node in pipeline.nodes if (model := model_of(node))})
    return {name: Pipeline([node for node in pipeline.nodes if model_of(node) == name]) for name in models}
