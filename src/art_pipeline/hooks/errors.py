"""Add to an error what only the run knows: the task, or the parameters that increase the memory."""

from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from art_pipeline.common.options import flatten
from art_pipeline.errors import NotEnoughMemoryError, SubsetError, is_out_of_memory
from art_pipeline.hooks.nodes import stage_of
from art_pipeline.pipelines.code import parameter_keys

PREFIX = "tasks."
# Parameters that increase the memory of a node; those first that affect the result least.
MEMORY_KEYS = (
    "batch_size",
    "cache_megabytes",
    "threads",
    "connections",
    "max_megapixels",
    "max_descriptors",
    "image_size",
    "max_side",
    "words",
    "hidden_units",
    "images_per_class",
)


class ErrorHooks:
    """Names the task of an error, and the parameters to lower where memory is insufficient."""

    def __init__(self) -> None:
        self._node: Node | None = None
        self._parameters: dict[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the parameters."""
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Store the running node."""
        self._node = node

    @hook_impl(trylast=True)  # pluggy calls no hook after one that raises
    def on_pipeline_error(self, error: Exception) -> None:
        """Raise an error with the name of the task, or with advice in place of an out-of-memory error."""
        if self._node and isinstance(error, SubsetError) and (task := self._task(self._node)):
            raise type(error)(f"tasks.{task}: {error}") from error
        if self._node and is_out_of_memory(error):
            where = f"{stage_of(self._node)} ({self._node.name})"
            raise NotEnoughMemoryError.of(error, where, self._sizes(self._node)) from error

    def _task(self, node: Node) -> str:
        """Return the task whose options a node reads, or whose subset it is part of; ``""`` for none."""
        keys = parameter_keys([node], self._parameters)
        tasks = (key.removeprefix(PREFIX) for key in keys if key.startswith(PREFIX))
        _, is_subset, subset = stage_of(node).partition("subset_")
        return next(tasks, subset if is_subset else "")

    def _sizes(self, node: Node) -> dict[str, Any]:
        """Return the values of the node's parameters that increase its memory."""
        read = parameter_keys([node], self._parameters)
        sizes = {
            key: value
            for key, value in flatten(self._parameters)
            if isinstance(value, int) and any(f"{key}.".startswith(f"{block}.") for block in read)
        }
        return {key: sizes[key] for name in MEMORY_KEYS for key in sizes if key.rpartition(".")[2] == name}
