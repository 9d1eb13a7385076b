"""Wiring of the stage ``download``."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.download import nodes

PARAMETERS = ["params:sources", "params:download"]


def create_pipeline(**_: object) -> Pipeline:
    """Create the pipeline from ``objects`` to ``images``, ``image_table`` and ``image_hashes``."""
    return Pipeline(
        [
            node(nodes.download_images, ["objects", *PARAMETERS], "source_images", name="download_images"),
            node(
                nodes.standardise_images,
                ["objects", "source_images", *PARAMETERS],
                "images",
                name="standardise_images",
            ),
            node(
                nodes.tabulate_images,
                ["objects", "source_images", "images", *PARAMETERS],
                "image_table",
                name="tabulate_images",
            ),
            node(nodes.hash_images, ["image_table", "images"], "image_hashes", name="hash_images"),
        ],
        tags="download",
    )
