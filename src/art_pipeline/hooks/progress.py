"""Let log lines name the stage or model that they belong to."""

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from art_pipeline.common.progress import begin_stage
from art_pipeline.hooks.nodes import stage_of


class ProgressHooks:
    """Sets the current stage or model for the log lines of the library."""

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Set the stage, for the node and for the saving of its outputs."""
        begin_stage(stage_of(node))

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Reset the stage."""
        begin_stage("")

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Reset the stage."""
        begin_stage("")
