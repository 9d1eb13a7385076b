"""Log an MLflow run for each analysis."""

import atexit
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline.node import Node

from art_pipeline.hooks.nodes import absolute_path
from art_pipeline.hooks.timing import ModelTimer
from art_pipeline.lineage.record import record_file
from art_pipeline.pipelines.analysis.registry import kind_of_stage
from art_pipeline.pipelines.code import is_analysis

if TYPE_CHECKING:
    from art_pipeline.tracking.analyses import AnalysisRun


class AnalysisHooks:
    """Opens a run before an analysis, and ends it after its result is stored.

    Args:
        timer: Run time of the stages.
    """

    def __init__(self, timer: ModelTimer) -> None:
        self._timer = timer
        self._project = self._data = Path()
        self._environment: str | None = None
        self._parameters: dict[str, Any] = {}
        self._catalog: DataCatalog
        self._run: AnalysisRun | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the project's folder and its parameters."""
        self._project, self._environment = context.project_path, context.env
        self._data = context.project_path / context.config_loader["globals"]["data"]
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Store the catalog."""
        self._catalog = catalog

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Open the run of an analysis."""
        if not is_analysis(node):
            return
        from art_pipeline.tracking.runs import Tracker

        stage = str(node.namespace)
        kind = kind_of_stage(stage)
        options = self._parameters[kind.key][stage.removeprefix(f"{kind.key}_")]
        self._run = Tracker(self._project, self._environment).open_analysis(stage, kind.key, {kind.key: options})
        atexit.register(self._abandon, "KILLED")  # Kedro calls no hook after Ctrl-C

    @hook_impl(trylast=True)  # after the record of lineage is written
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Log the result and end the run."""
        if self._run and is_analysis(node):
            stage = str(node.namespace)
            folder = absolute_path(self._catalog, dataset_name)
            self._run.end(folder, record_file(self._data, stage), self._timer.seconds.get(stage, 0))
            self._forget()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Mark the run of an unfinished analysis as failed."""
        self._abandon("FAILED")

    def _abandon(self, status: str) -> None:
        if self._run:
            self._run.abandon(status)
        self._forget()

    def _forget(self) -> None:
        self._run = None
        atexit.unregister(self._abandon)
