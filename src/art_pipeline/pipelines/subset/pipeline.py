"""Wiring of the ``subset`` stage."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.subset import nodes


def create_pipeline(**_: object) -> Pipeline:
    """``objects`` with ``images`` to the ``manifest``."""
    options = "params:subset"
    return Pipeline(
        [
            node(nodes.label_objects, ["objects", "image_table", options], "candidates", name="label_objects"),
            node(
                nodes.find_near_duplicates,
                ["candidates", "images", options],
                "near_duplicates",
                name="find_near_duplicates",
            ),
            node(nodes.choose, ["candidates", "near_duplicates", options], "selection", name="choose"),
            node(nodes.split, ["selection", "near_duplicates", options], "divided", name="split"),
            node(nodes.check_leaks, ["divided", "near_duplicates"], "manifest", name="check_leaks"),
        ],
        tags="subset",
    )
