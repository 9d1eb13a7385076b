"""Wiring of a model: train, predict, evaluate, in a namespace of the model's name."""

import warnings

from kedro.pipeline import Pipeline, node

from art_pipeline.common.options import Options
from art_pipeline.models.ensemble import EnsembleOptions
from art_pipeline.models.networks.network import NetworkOptions
from art_pipeline.models.svm.bow import BowSvmOptions
from art_pipeline.models.svm.dense import DenseSvmOptions
from art_pipeline.models.svm.features import FeatureSvmOptions
from art_pipeline.pipelines.model import bow_svm, dense_svm, ensemble, feature_svm, network, nodes


def create_pipeline(name: str, options: Options) -> Pipeline:
    """The ``manifest`` to the predictions, metrics and figures of one model.

    Args:
        name: Of its block in params.yaml; also its namespace, and that of its folders.
        options: Its block. Only what decides which nodes there are is read here.
    """
    with warnings.catch_warnings():
        # Kedro warns of names in a namespace that is not the node's; a model may read other ones.
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        own = Pipeline([*_create_nodes(options), *_create_evaluation()])
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


def _create_nodes(options: Options) -> list:
    match options:
        case BowSvmOptions():
            return bow_svm.create_nodes()
        case DenseSvmOptions():
            return dense_svm.create_nodes()
        case NetworkOptions():
            return network.create_nodes(options)
        case FeatureSvmOptions():
            return feature_svm.create_nodes(options)
        case EnsembleOptions():
            return ensemble.create_nodes(options)
    raise TypeError(f"There are no nodes for {type(options).__name__}.")


def _create_evaluation() -> list:
    """From the predictions alone; the same for every model."""
    return [
        node(
            nodes.measure,
            ["predictions", "params:evaluate"],
            ["metrics", "per_class", "confusion_matrix"],
            name="measure",
            tags="evaluate",
        ),
        node(
            nodes.sort_alone,
            ["predictions", "params:evaluate"],
            ["sorting", "review"],
            name="sort_alone",
            tags="evaluate",
        ),
        node(
            nodes.draw,
            ["predictions", "images", "params:evaluate"],
            ["confusion_matrix_figure", "prediction_examples_figure", "calibration_figure"],
            name="draw",
            tags="evaluate",
        ),
    ]
