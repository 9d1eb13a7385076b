"""Log an MLflow run for each search, with its trials below."""

from typing import TYPE_CHECKING

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from art_pipeline.common.search_events import listen_to_trials
from art_pipeline.hooks.nodes import absolute_path
from art_pipeline.hooks.tracked import TrackedHooks
from art_pipeline.pipelines.parameters import models_in, tasks_in

if TYPE_CHECKING:
    from art_pipeline.tracking.search import SearchRun


class SearchHooks(TrackedHooks):
    """Opens a run before a search, and ends it after its results are stored."""

    def __init__(self) -> None:
        super().__init__()
        self._run: SearchRun | None = None

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Open the run of a search."""
        if "search" not in node.tags:
            return
        (name,) = node.tags - {"search"}
        model = models_in(self._parameters)[name]
        kind = tasks_in(self._parameters)[model.task].kind
        self._run = self._open_tracker().open_search(name, model.task, kind)
        listen_to_trials(self._run)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """End the run."""
        if self._run and "search" in node.tags:
            self._run.end(absolute_path(self._catalog, dataset_name))
            self._forget()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """End the run of a search that failed."""
        if self._run:
            self._run.abandon()
        self._forget()

    def _forget(self) -> None:
        self._run = None
        listen_to_trials(None)
