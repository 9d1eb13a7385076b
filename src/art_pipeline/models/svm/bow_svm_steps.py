"""Steps of the bag-of-words SVM."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.files import filled
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.features.sift import Descriptors, SiftOptions
from art_pipeline.models.family import Step
from art_pipeline.models.svm.bow_svm import BowSvm, BowSvmOptions, train_bow_svm


def bow_steps() -> list[Step]:
    """Return the steps of training and prediction."""
    inputs = {
        "manifest": "manifest",
        "descriptors": "descriptors",
        "options": "params:options",
        "sift": "params:sift",
        "max_side": "params:download.max_side",
    }
    return [
        Step(train, inputs, "model", "train", "train"),
        Step(predict, ["manifest", "model", "descriptors"], "predictions", "predict", "predict"),
    ]


def train(
    manifest: pd.DataFrame, descriptors: Path, options: BowSvmOptions, sift: SiftOptions, max_side: int
) -> Callable[[Path], None]:
    """Train on the splits of ``train_on``; see `train_bow_svm`."""
    rows = manifest[manifest["split"].isin(options.train_on)]
    object_ids, labels = rows["object_id"].tolist(), rows["label"].tolist()
    with one_thread_each():
        model = train_bow_svm(object_ids, labels, Descriptors(descriptors), options, sift, max_side)
    return filled(model.save)


def predict(manifest: pd.DataFrame, model: Path, descriptors: Path) -> pd.DataFrame:
    """Predict the test split from stored descriptors."""
    rows = manifest[manifest["split"] == "test"]
    classifier = BowSvm.load(model)
    described = Descriptors(descriptors).of(rows["object_id"])
    with one_thread_each():
        probabilities = classifier.probabilities_from_descriptors(described, len(rows))
    return make_predictions(rows["object_id"], rows["label"], probabilities, classifier.classes)
