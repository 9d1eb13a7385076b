"""Nodes of the machine on a frozen network's features, which the network's own nodes compute."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from kedro.pipeline import node

from art_pipeline.compute import ComputeOptions, prepare_keras
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models.feature_svm import FeatureSvmOptions, judge_features, train_feature_svm
from art_pipeline.models.features import Features
from art_pipeline.models.network import NetworkOptions, build_base
from art_pipeline.models.pretrained import load_start
from art_pipeline.pipelines.model.machines import drawn_to_learn_from
from art_pipeline.pipelines.model.pictures import same
from art_pipeline.storage import filled


def create_nodes(options: FeatureSvmOptions) -> list:
    """Train on another model's features, and judge by them."""
    network = options.features_of
    features = {"features": f"{network}.features"}
    learnt = {
        "weights": f"{network}.weights",
        "options": "params:options",
        "network": f"params:{network}",
        "compute": "params:compute",
        "max_side": "params:download.max_side",
    }
    return [
        node(train, same("manifest") | features | learnt, "model", name="train", tags="train"),
        node(predict, same("manifest", "model") | features, "predictions", name="predict", tags="predict"),
    ]


def train(  # noqa: PLR0913, PLR0917 - a node's inputs
    manifest: pd.DataFrame,
    features: Path,
    weights: Path,
    options: FeatureSvmOptions,
    network: NetworkOptions,
    compute: ComputeOptions,
    max_side: int,
) -> Callable[[Path], None]:
    """Train on the splits that the options name, and keep the network beside; see `train_feature_svm`."""
    rows = drawn_to_learn_from(manifest, options.train_on, options.svm)
    learnt = Features(features).of(rows["object_id"].astype(str))
    prepare_keras(compute)
    base = build_base(network)
    load_start(base, weights)
    return filled(train_feature_svm(learnt, rows["label"], options, network, base, max_side).save)


def predict(manifest: pd.DataFrame, model: Path, features: Path) -> pd.DataFrame:
    """Judge the test split by its features."""
    rows = manifest[manifest["split"] == "test"]
    parts = Features(features).parts_of(rows["object_id"].astype(str).tolist())
    return make_predictions(rows["object_id"], rows["label"], *judge_features(model, parts))
