"""Wiring of a model: train, predict, evaluate, in a namespace of the model's name."""

from kedro.pipeline import Pipeline, node

from art_pipeline.pipelines.model import nodes
from art_pipeline.pipelines.model.wiring import MODELS

SHARED = {"manifest", "images"}


def create_pipeline(name: str) -> Pipeline:
    """The ``manifest`` to the predictions, metrics and figures of one model."""
    wiring = MODELS[name]
    others = {*wiring.train_inputs.values(), *wiring.predict_inputs.values()}
    return Pipeline(
        [
            node(
                wiring.train,
                {"manifest": "manifest", "options": "params:options", **wiring.train_inputs},
                "model",
                name="train",
                tags="train",
            ),
            node(
                wiring.predict,
                {"manifest": "manifest", "model": "model", **wiring.predict_inputs},
                "predictions",
                name="predict",
                tags="predict",
            ),
            node(
                nodes.measure,
                ["predictions", "params:evaluate"],
                ["metrics", "per_class", "confusion_matrix"],
                name="measure",
                tags="evaluate",
            ),
            node(
                nodes.draw,
                ["predictions", "images", "params:evaluate"],
                ["confusion_matrix_figure", "prediction_examples_figure", "calibration_figure"],
                name="draw",
                tags="evaluate",
            ),
        ],
        tags=name,
        namespace=name,
        inputs=SHARED | {one for one in others if not one.startswith("params:")},
        parameters={
            "params:options": f"params:{name}",
            "params:evaluate": "params:evaluate",
            **{one: one for one in others if one.startswith("params:")},
        },
        prefix_datasets_with_namespace=True,
    )
