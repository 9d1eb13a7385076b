"""Pipeline of the ``subset`` stage."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.subset import nodes


def create_pipeline(**_: object) -> Pipeline:
    """Create the nodes from ``objects`` and ``images`` to the ``manifest``."""
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
            node(nodes.select_images, ["candidates", "near_duplicates", options], "selection", name="select_images"),
            node(nodes.split_images, ["selection", "near_duplicates", options], "split_images", name="split_images"),
            node(nodes.check_leaks, ["split_images", "near_duplicates"], "manifest", name="check_leaks"),
        ],
        tags="subset",
    )
