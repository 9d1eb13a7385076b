"""Wiring of a model: train, predict, evaluate, in a namespace of the model's name."""

import warnings

from kedro.pipeline import Pipeline

from art_pipeline.common.options import Options
from art_pipeline.models.ensemble import EnsembleOptions
from art_pipeline.models.networks.network import NetworkOptions
from art_pipeline.models.svm.bow import BowSvmOptions
from art_pipeline.models.svm.dense import DenseSvmOptions
from art_pipeline.models.svm.features import FeatureSvmOptions
from art_pipeline.pipelines.evaluate import pipeline as evaluate
from art_pipeline.pipelines.model import bow_svm, dense_svm, ensemble, feature_svm, network


def create_pipeline(name: str, options: Options) -> Pipeline:
    """The ``manifest`` to the predictions, metrics and figures of one model.

    Args:
        name: Of its block in params.yaml; also its namespace, and that of its folders.
        options: Its block. Only what decides which nodes there are is read here.
    """
    with warnings.catch_warnings():
        # Kedro warns of names in a namespace that is not the node's; a model may read other ones.
        warnings.filterwarnings("ignore", "One or more dataset names contain '.'")
        own = Pipeline([*_create_nodes(options), *evaluate.create_pipeline().nodes])
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
