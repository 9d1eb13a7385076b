"""Wiring of the stage ``scrape``."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.scrape import nodes


def create_pipeline(**_: object) -> Pipeline:
    """Create the pipeline from the sources to ``objects``."""
    return Pipeline(
        [
            node(nodes.list_objects, "params:sources", "listings", name="list_objects"),
            node(nodes.select_listed, ["listings", "params:sources"], "listing", name="select_listed"),
            node(nodes.scrape_records, ["listing", "params:sources"], "records", name="scrape_records"),
            node(
                nodes.tabulate, ["listing", "listings", "records", "params:sources"], "objects", name="tabulate_objects"
            ),
        ],
        tags="scrape",
    )
