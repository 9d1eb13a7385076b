"""Wiring of the ``describe`` stage."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.describe import nodes


def create_pipeline(**_: object) -> Pipeline:
    """``images`` of the ``manifest`` to ``descriptors``."""
    inputs = ["manifest", "images", "params:describe"]
    return Pipeline([node(nodes.describe_images, inputs, "descriptors", name="describe_images")], tags="describe")
