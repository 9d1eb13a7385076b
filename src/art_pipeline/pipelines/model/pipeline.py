"""Pipeline of a model: train, predict, evaluate, in a namespace of the model's name."""

import warnings
from collections.abc import Mapping

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from art_pipeline.models.family import ModelFamily, Step
from art_pipeline.pipelines.evaluate import pipeline as evaluate


def create_pipeline(name: str, options: ModelFamily) -> Pipeline:
    """Return the pipeline of one model: training, prediction and evaluation.

    Args:
        name: Name of the model's block in params.yaml, of its namespace, and of its folders.
        options: The block. Only what decides on the steps is used here; a run loads the rest.
    """
    with warnings.catch_warnings():
        # Kedro warns of data sets of another namespace, which a model may read.
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        own = Pipeline([*map(_create_node, options.steps()), *evaluate.create_pipeline().nodes])
        read = {one: one for one in own.inputs() if not one.startswith("params:")}
        parameters = [one for one in own.inputs() if one.startswith("params:")]
        return Pipeline(
            own,
            tags=name,
            namespace=name,
            inputs=read,
            parameters={one: f"params:{name}" if one == "params:options" else one for one in parameters},
            prefix_datasets_with_namespace=True,
        )


def _create_node(step: Step) -> Node:
    inputs = dict(step.inputs) if isinstance(step.inputs, Mapping) else list(step.inputs)
    outputs = step.outputs if isinstance(step.outputs, str) else list(step.outputs)
    return node(step.function, inputs, outputs, name=step.name, tags=step.tag)
