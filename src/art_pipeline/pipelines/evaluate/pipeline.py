"""Pipeline of the evaluation of one model."""

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from art_pipeline.evaluation.kinds import Kind
from art_pipeline.pipelines.evaluate import nodes


def create_pipeline(kind: Kind = "multiclass") -> Pipeline:
    """Create the nodes from ``predictions`` to metrics, tables and figures, to be put in a model's namespace.

    Args:
        kind: Kind of the model's task.
    """
    options = "params:evaluate"
    return Pipeline(
        [
            node(
                nodes.compute_metrics,
                ["predictions", options],
                ["metrics", "per_class", "confusion_matrix"],
                name="compute_metrics",
            ),
            node(
                nodes.classify_selectively,
                ["predictions", options],
                ["selective", "review"],
                name="classify_selectively",
            ),
            _plots(kind),
        ],
        tags="evaluate",
    )


def _plots(kind: Kind) -> Node:
    """Return the node that plots the results; which figures there are depends on the kind of the task."""
    figures = ["confusion_matrix", "prediction_examples", "calibration"]
    if kind == "multilabel":
        outputs = [f"{figure}_figure" for figure in (*figures, "precision_recall", "labels")]
        inputs = ["predictions", "per_class", "images", "params:evaluate"]
        return node(nodes.plot_label_results, inputs, outputs, name="plot_results")
    outputs = [f"{figure}_figure" for figure in (*figures, "class_examples")]
    return node(nodes.plot_results, ["predictions", "images", "params:evaluate"], outputs, name="plot_results")
