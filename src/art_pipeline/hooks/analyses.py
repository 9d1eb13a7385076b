"""Log an MLflow run for each analysis."""

import atexit
from typing import TYPE_CHECKING

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from art_pipeline.hooks.nodes import absolute_path
from art_pipeline.hooks.timing import ModelTimer
from art_pipeline.hooks.tracked import TrackedHooks
from art_pipeline.lineage.record import record_file
from art_pipeline.pipelines.analysis.registry import kind_of_stage, metrics_of_analyses
from art_pipeline.pipelines.code import is_analysis

if TYPE_CHECKING:
    from art_pipeline.tracking.analyses import AnalysisRun


class AnalysisHooks(TrackedHooks):
    """Opens a run before an analysis, and ends it after its result is stored.

    Args:
        timer: Run time of the stages.
    """

    def __init__(self, timer: ModelTimer) -> None:
        super().__init__()
        self._timer = timer
        self._run: AnalysisRun | None = None

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Open the run of an analysis."""
        if not is_analysis(node):
            return
        stage = str(node.namespace)
        kind = kind_of_stage(stage)
        options = self._parameters[kind.key][stage.removeprefix(f"{kind.key}_")]
        shown = metrics_of_analyses(self._parameters)
        self._run = self._open_tracker().open_analysis(stage, kind.key, {kind.key: options}, shown)
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
