"""Nodes of the machine on a frozen network's features, which the network's own nodes compute."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from kedro.pipeline import node

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.files import filled
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models.networks.features import Features
from art_pipeline.models.svm.features import FeatureSvm, FeatureSvmOptions, train_feature_svm
from art_pipeline.pipelines.model.examples import same
from art_pipeline.pipelines.model.machines import drawn_to_learn_from


def create_nodes(options: FeatureSvmOptions) -> list:
    """Train on another model's features, and judge by them."""
    features = {"features": f"{options.features_of}.features"}
    learnt = {
        "network": f"{options.features_of}.model",
        "options": "params:options",
        "max_side": "params:download.max_side",
    }
    return [
        node(train, same("manifest") | features | learnt, "model", name="train", tags="train"),
        node(predict, same("manifest", "model") | features, "predictions", name="predict", tags="predict"),
    ]


def train(
    manifest: pd.DataFrame, features: Path, network: Path, options: FeatureSvmOptions, max_side: int
) -> Callable[[Path], None]:
    """Train on the splits that the options name, and keep the network beside; see `train_feature_svm`."""
    rows = drawn_to_learn_from(manifest, options.train_on, options.svm)
    learnt = Features(features).of(rows["object_id"].astype(str))
    return filled(train_feature_svm(learnt, rows["label"], options, network, max_side).save)


def predict(manifest: pd.DataFrame, model: Path, features: Path) -> pd.DataFrame:
    """Judge the test split by its features."""
    rows, classifier = manifest[manifest["split"] == "test"], FeatureSvm.load(model)
    parts = Features(features).parts_of(rows["object_id"].astype(str).tolist())
    with one_thread_each():
        probabilities = np.concatenate([classifier.probabilities_from_features(part) for part in parts])
    return make_predictions(rows["object_id"], rows["label"], probabilities, classifier.classes)
