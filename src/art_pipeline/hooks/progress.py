"""Log lines name the stage or model that they belong to."""

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from art_pipeline.common.progress import begin_stage
from art_pipeline.hooks.lineage import stage_of


class ProgressHooks:
    """Tells the library which stage or model is at work."""

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Name it, for what the node does and for what is done while its outputs are saved."""
        begin_stage(stage_of(node))

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Forget it."""
        begin_stage("")

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Forget it."""
        begin_stage("")
