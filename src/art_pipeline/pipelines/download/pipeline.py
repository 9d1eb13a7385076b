"""Wiring of the ``download`` stage."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.download import nodes

PARAMETERS = ["params:museum", "params:download"]


def create_pipeline(**_: object) -> Pipeline:
    """``objects`` to ``images`` and the table ``pictures``."""
    return Pipeline(
        [
            node(nodes.download_pictures, ["objects", *PARAMETERS], "picture_files", name="download_pictures"),
            node(
                nodes.standardise_pictures,
                ["objects", "picture_files", *PARAMETERS],
                "images",
                name="standardise_pictures",
            ),
            node(
                nodes.tabulate_pictures,
                ["objects", "picture_files", "images", *PARAMETERS],
                "pictures",
                name="tabulate_pictures",
            ),
        ],
        tags="download",
    )
