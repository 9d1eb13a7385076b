"""Steps of the SVM on features."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Floats
from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.files import filled
from art_pipeline.features.store import GlobalFeatures
from art_pipeline.models.family import Step, by_name
from art_pipeline.models.features import StoredExtractors, feature_inputs, open_stores
from art_pipeline.models.predictions import predict_others
from art_pipeline.models.svm.feature_svm import FeatureSvm, FeatureSvmOptions, train_feature_svm
from art_pipeline.models.svm.search import training_rows
from art_pipeline.tasks.options import TaskOptions


def feature_steps(options: FeatureSvmOptions) -> list[Step]:
    """Return the steps of training and prediction."""
    own, stores = {"manifest": "manifest", "options": "params:options"}, feature_inputs(options.features)
    fixed = {"max_side": "params:download.max_side", "task": "params:task"}
    known = by_name("out_of_fold", "model")
    return [
        Step(train, own | fixed | by_name("near_duplicates") | stores, ["model", "out_of_fold"], "train", "train"),
        Step(predict, own | known | stores, "predictions", "predict", "predict"),
    ]


def train(
    manifest: pd.DataFrame,
    options: FeatureSvmOptions,
    max_side: int,
    task: TaskOptions,
    near_duplicates: pd.DataFrame,
    **features: Any,
) -> tuple[Callable[[Path], None], pd.DataFrame]:
    """Train on the splits of ``train_on``, and predict them out of fold; see `train_feature_svm`."""
    rows, groups = training_rows(manifest, near_duplicates, options.train_on, options.svm, task.kind)
    stores = open_stores(options.features, features)
    read = GlobalFeatures(stores).of(rows["object_id"].tolist())
    extractors = StoredExtractors.of(dict(zip(options.features, stores, strict=True)))
    model = train_feature_svm(read, rows["label"].tolist(), options, extractors, max_side, task.kind, groups)
    return filled(model.save), model.predict_out_of_fold(rows)


def predict(
    manifest: pd.DataFrame, options: FeatureSvmOptions, out_of_fold: pd.DataFrame, model: Path, **features: Any
) -> pd.DataFrame:
    """Predict the other images from their features."""
    classifier, stored = FeatureSvm.load(model), GlobalFeatures(open_stores(options.features, features))

    def probabilities_of(rows: pd.DataFrame) -> Floats:
        parts = stored.parts_of(rows["object_id"].tolist())
        probabilities: Floats = np.concatenate([classifier.probabilities_from_features(part) for part in parts])
        return probabilities

    with one_thread_each():
        return predict_others(manifest, out_of_fold, classifier, probabilities_of)
