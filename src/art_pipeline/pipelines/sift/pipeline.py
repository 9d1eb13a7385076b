"""Wiring of the ``sift`` stage."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.sift import nodes


def create_pipeline(**_: object) -> Pipeline:
    """``images`` of the ``manifest`` to ``descriptors``."""
    inputs = ["manifest", "images", "params:sift"]
    return Pipeline([node(nodes.extract, inputs, "descriptors", name="extract_sift")], tags="sift")
