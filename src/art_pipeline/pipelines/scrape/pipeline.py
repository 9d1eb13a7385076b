"""Wiring of the ``scrape`` stage."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.scrape import nodes


def create_pipeline(**_: object) -> Pipeline:
    """Museum to ``objects``."""
    return Pipeline(
        [
            node(nodes.list_objects, "params:museum", "listings", name="list_objects"),
            node(nodes.choose_objects, ["listings", "params:museum"], "listing", name="choose_objects"),
            node(nodes.scrape_records, ["listing", "params:museum"], "records", name="scrape_records"),
            node(
                nodes.tabulate, ["listing", "listings", "records", "params:museum"], "objects", name="tabulate_objects"
            ),
        ],
        tags="scrape",
    )
