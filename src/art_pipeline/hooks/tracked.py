"""What all hooks that log to MLflow know of a run of the pipeline."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog

if TYPE_CHECKING:
    from art_pipeline.tracking.runs import Tracker


class TrackedHooks:
    """Base of hooks that log to MLflow: the project, its parameters and its catalog."""

    def __init__(self) -> None:
        self._project = self._data = Path()
        self._environment: str | None = None
        self._parameters: dict[str, Any] = {}
        self._catalog: DataCatalog

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

    def _open_tracker(self) -> "Tracker":
        """Open the project's store, which imports MLflow."""
        from art_pipeline.tracking.runs import Tracker

        return Tracker(self._project, self._environment)
