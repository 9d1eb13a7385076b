"""Pipeline of the subset of one task."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.stage import shared_names, stage_pipeline
from art_pipeline.pipelines.subset import nodes
from art_pipeline.tasks.options import TaskOptions

OUTPUTS = ("candidates", "near_duplicates", "selection", "manifest")


def create_pipeline(task: str, settings: TaskOptions) -> Pipeline:
    """Create the nodes from ``objects`` and ``image_table`` to the ``manifest`` of a task.

    Args:
        task: Name of the task, which prefixes its data sets.
        settings: Its options: a further task whose split it shares, and a file of corrections, are further inputs.
    """
    candidates, pairs, selection, manifest = (f"{task}.{name}" for name in OUTPUTS)
    options, split = f"params:tasks.{task}", f"{task}.split_images"
    other = [f"{settings.split.same_as}.manifest"] if settings.split.same_as else []
    corrections = [f"{task}.corrections"] if settings.corrections else []
    label = _of_task(nodes.label_objects, task)
    before = other if corrections else []
    with shared_names():
        steps = [
            *[node(nodes.read_corrections, [options], one, name="read_corrections") for one in corrections],
            node(label, ["objects", "image_table", options, *corrections], candidates, name="label_objects"),
            node(nodes.find_near_duplicates, [candidates, "image_hashes", options], pairs, name="find_near_duplicates"),
            node(nodes.select_images, [candidates, pairs, options, *before], selection, name="select_images"),
            node(nodes.split_images, [selection, pairs, options, *other], split, name="split_images"),
            node(nodes.check_leaks, [split, pairs], manifest, name="check_leaks"),
        ]
        return stage_pipeline(f"subset_{task}", "subset", steps)


def _of_task(function: Callable[..., Any], task: str) -> Callable[..., Any]:
    """Give a node function the name of its task, which no data set holds."""

    @wraps(function)
    def with_task(*inputs: Any) -> Any:
        return function(*inputs, task=task)

    return with_task
