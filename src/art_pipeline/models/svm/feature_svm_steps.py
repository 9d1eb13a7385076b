"""Steps of the SVM on features of a frozen network, which the network's own steps compute."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.files import filled
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models.family import Step, by_name
from art_pipeline.models.networks.features import Features
from art_pipeline.models.svm.feature_svm import FeatureSvm, FeatureSvmOptions, train_feature_svm
from art_pipeline.models.svm.search import training_rows


def feature_steps(options: FeatureSvmOptions) -> list[Step]:
    """Return the steps of training and prediction."""
    features = {"features": f"{options.features_of}.features"}
    inputs = {
        "network": f"{options.features_of}.model",
        "options": "params:options",
        "max_side": "params:download.max_side",
    }
    return [
        Step(train, by_name("manifest") | features | inputs, "model", "train", "train"),
        Step(predict, by_name("manifest", "model") | features, "predictions", "predict", "predict"),
    ]


def train(
    manifest: pd.DataFrame, features: Path, network: Path, options: FeatureSvmOptions, max_side: int
) -> Callable[[Path], None]:
    """Train on the splits of ``train_on``, and copy the network into the model; see `train_feature_svm`."""
    rows = training_rows(manifest, options.train_on, options.svm)
    inputs = Features(features).of(rows["object_id"].astype(str).tolist())
    return filled(train_feature_svm(inputs, rows["label"].tolist(), options, network, max_side).save)


def predict(manifest: pd.DataFrame, model: Path, features: Path) -> pd.DataFrame:
    """Predict the test split from its features."""
    rows, classifier = manifest[manifest["split"] == "test"], FeatureSvm.load(model)
    parts = Features(features).parts_of(rows["object_id"].astype(str).tolist())
    with one_thread_each():
        probabilities = np.concatenate([classifier.probabilities_from_features(part) for part in parts])
    return make_predictions(rows["object_id"], rows["label"], probabilities, classifier.classes)
