"""Pipeline of the ``report`` stage."""

import warnings
from collections.abc import Iterable, Mapping

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.report import nodes

COLLECTION = (
    "objects",
    "image_table",
    "selection",
    "manifest",
    "class_distribution_figure",
    "comparison_figure",
    "significance",
    "parameters",
)
AUGMENTATION = ("augmentation_figure", "augmentation_examples_figure")
TABLES = ("metrics", "per_class", "selective", "model")


def create_pipeline(models: Mapping[str, Iterable[str]], augmented: bool) -> Pipeline:
    """Create the nodes from the results of models to the report.

    Args:
        models: Names of the data sets that each model outputs, by its name.
        augmented: Whether there are augmented images.
    """
    results = {_argument(result): result for outputs in models.values() for result in _results(outputs)}
    inputs = {name: name for name in [*COLLECTION, *(AUGMENTATION if augmented else [])]} | results
    metrics = {name: f"{name}.metrics" for name in models}
    predictions = {name: f"{name}.predictions" for name in models}
    with warnings.catch_warnings():
        # Kedro warns about namespaced names outside of their namespace; a report reads those of all models.
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        return Pipeline(
            [
                node(nodes.plot_distribution, "manifest", "class_distribution_figure", name="plot_distribution"),
                node(nodes.plot_comparison, metrics, "comparison_figure", name="plot_comparison"),
                node(nodes.compare_models, predictions, "significance", name="compare_models"),
                node(nodes.credit_images, ["objects", "manifest"], "credits", name="credit_images"),
                node(nodes.write_report, inputs, "report", name="write_report"),
            ],
            tags="report",
        )


def _results(outputs: Iterable[str]) -> list[str]:
    """Return the tables, the folder and all figures of a model."""
    return [name for name in sorted(outputs) if name.endswith("_figure") or name.partition(".")[2] in TABLES]


def _argument(result: str) -> str:
    return result.replace(".", "__")
