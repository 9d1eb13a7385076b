"""Measure the run time of each model."""

from time import perf_counter

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node


class ModelTimer:
    """Sums the run time of each model's own nodes; nodes of several models may alternate.

    Attributes:
        seconds: Run time of each model.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = 0.0

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Reset all times."""
        self.seconds.clear()

    @hook_impl(trylast=True)
    def before_node_run(self) -> None:
        """Start the time of a node, after the work of other hooks."""
        self._start = perf_counter()

    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, node: Node) -> None:
        """Add the time of a node and its output, since a folder is filled while it is saved."""
        now = perf_counter()
        if node.namespace:
            self.seconds[node.namespace] = self.seconds.get(node.namespace, 0) + now - self._start
        self._start = now
