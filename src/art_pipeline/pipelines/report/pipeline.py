"""Wiring of the ``report`` stage."""

import warnings
from collections.abc import Iterable, Mapping

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.report import nodes

OF_THE_COLLECTION = (
    "objects",
    "image_table",
    "selection",
    "manifest",
    "class_distribution_figure",
    "comparison_figure",
    "neighbours",
    "parameters",
)
OF_AUGMENTATION = ("augmentation_figure", "augmentation_examples_figure")
TABLES = ("metrics", "per_class", "sorting", "model")


def create_pipeline(models: Mapping[str, Iterable[str]], augmented: bool) -> Pipeline:
    """All results of these models to one page.

    Args:
        models: The data sets that each model makes, by its name.
        augmented: Whether there are augmented images.
    """
    results = {_argument(result): result for made in models.values() for result in _results(made)}
    with warnings.catch_warnings():
        # Kedro warns of names in a namespace that is not the node's; a report reads all of them.
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        of_the_whole = [*OF_THE_COLLECTION, *(OF_AUGMENTATION if augmented else [])]
        inputs = {name: name for name in of_the_whole} | results
        page = node(nodes.report, inputs, "report", name="write_report")
        metrics = {name: f"{name}.metrics" for name in models}
        predictions = {name: f"{name}.predictions" for name in models}
        neighbours = node(nodes.compare, predictions, "neighbours", name="compare_neighbours")
        comparison = node(nodes.draw_comparison, metrics, "comparison_figure", name="draw_comparison")
    distribution = node(nodes.draw_distribution, "manifest", "class_distribution_figure", name="draw_distribution")
    credit = node(nodes.credit, ["objects", "manifest"], "credits", name="credit_images")
    return Pipeline([distribution, comparison, neighbours, credit, page], tags="report")


def _results(made: Iterable[str]) -> list[str]:
    """The tables of a model, its folder, and all of its figures."""
    return [name for name in sorted(made) if name.endswith("_figure") or name.partition(".")[2] in TABLES]


def _argument(result: str) -> str:
    return result.replace(".", "__")
