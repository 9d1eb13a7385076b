"""Pipeline of the evaluation of one model."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.evaluate import nodes


def create_pipeline() -> Pipeline:
    """Create the nodes from ``predictions`` to metrics, tables and figures, to be put in a model's namespace."""
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
            node(
                nodes.plot_results,
                ["predictions", "images", options],
                ["confusion_matrix_figure", "prediction_examples_figure", "calibration_figure"],
                name="plot_results",
            ),
        ],
        tags="evaluate",
    )
