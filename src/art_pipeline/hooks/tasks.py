"""Check tasks before the costly stages: with the table of objects that exists, or as soon as it is written."""

import logging
from typing import Any

import pandas as pd
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from art_pipeline.errors import SubsetError
from art_pipeline.pipelines.parameters import tasks_in
from art_pipeline.tasks.check import check_task
from art_pipeline.tasks.options import TaskOptions

log = logging.getLogger(__name__)

OBJECTS = "objects"


class TaskHooks:
    """Checks the tasks whose images a run selects, or all where it downloads images or computes features only."""

    def __init__(self) -> None:
        self._all: dict[str, TaskOptions] = {}
        self._checked: dict[str, TaskOptions] = {}
        self._is_followed = False

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the tasks."""
        self._all = tasks_in(context.config_loader["parameters"])

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check the tasks with the table of objects, unless the run writes it."""
        self._checked = _tasks_of(pipeline, self._all)
        written = pipeline.all_outputs()
        self._is_followed = OBJECTS not in written or any(OBJECTS in node.inputs for node in pipeline.nodes)
        if self._checked and OBJECTS not in written and catalog.exists(OBJECTS):
            self._check(catalog.load(OBJECTS))

    @hook_impl(trylast=True)  # after the table's lineage is written
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Check the tasks with the new table of objects."""
        if dataset_name == OBJECTS:
            self._check(data)

    def _check(self, objects: pd.DataFrame) -> None:
        """Check each task; only warn where no other stage follows.

        Raises:
            SubsetError: Names the task and what is wrong.
        """
        for name, options in self._checked.items():
            try:
                check_task(objects, options)
            except SubsetError as error:
                if self._is_followed:
                    raise type(error)(f"tasks.{name}: {error}") from error
                log.warning("tasks.%s cannot be used with these objects: %s", name, error)


def _tasks_of(pipeline: Pipeline, tasks: dict[str, TaskOptions]) -> dict[str, TaskOptions]:
    written = pipeline.all_outputs()
    own = {name: task for name, task in tasks.items() if f"{name}.candidates" in written}
    before_tasks = any(name in {OBJECTS, "source_images"} or name.startswith("features.") for name in written)
    return own or (tasks if before_tasks else {})
