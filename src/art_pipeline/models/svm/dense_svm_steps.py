"""Steps of the SVM on dense descriptors."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.files import filled
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models.family import Step, by_name
from art_pipeline.models.networks.features import Features, store_features
from art_pipeline.models.svm.dense_svm import (
    Codebooks,
    DenseSvm,
    DenseSvmOptions,
    encode_files,
    fit_codebooks,
    train_dense_svm,
)
from art_pipeline.models.svm.search import training_rows
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples


def dense_steps() -> list[Step]:
    """Return the steps: fit codebooks, encode the images of all splits, train, predict."""
    read, options = by_name("manifest", "images"), {"options": "params:options"}
    train_inputs = by_name("manifest", "features", "codebooks") | options | {"max_side": "params:download.max_side"}
    return [
        Step(fit, read | options, "codebooks", "fit_codebooks", "train"),
        Step(encode, read | by_name("codebooks") | options, "features", "encode", "train"),
        Step(train, train_inputs, "model", "train", "train"),
        Step(predict, by_name("manifest", "model", "features"), "predictions", "predict", "predict"),
    ]


def fit(manifest: pd.DataFrame, images: Path, options: DenseSvmOptions) -> Callable[[Path], None]:
    """Fit codebooks on the splits of ``train_on``; see `fit_codebooks`."""
    rows = manifest[manifest["split"].isin(options.train_on)]
    return filled(fit_codebooks(rows["object_id"].tolist(), images, options).save)


def encode(manifest: pd.DataFrame, images: Path, codebooks: Path, options: DenseSvmOptions) -> Callable[[Path], None]:
    """Encode the images of all splits; an interrupted run resumes where it stopped."""
    books, examples = Codebooks.load(codebooks, options), Examples.of(manifest, images)
    block = options.model_dump(mode="json", exclude={"svm"})
    work = fingerprint(options.REQUIREMENTS, [block], examples, [images, codebooks])
    return partial(_encode_into, books, examples, work)


def train(
    manifest: pd.DataFrame, features: Path, codebooks: Path, options: DenseSvmOptions, max_side: int
) -> Callable[[Path], None]:
    """Train on the splits of ``train_on``; see `train_dense_svm`."""
    rows = training_rows(manifest, options.train_on, options.svm)
    encoded = Features(features).of(rows["object_id"].astype(str).tolist())
    return filled(train_dense_svm(encoded, rows["label"].tolist(), Codebooks.load(codebooks, options), max_side).save)


def predict(manifest: pd.DataFrame, model: Path, features: Path) -> pd.DataFrame:
    """Predict the test split from encoded images."""
    rows, classifier = manifest[manifest["split"] == "test"], DenseSvm.load(model)
    encoded = Features(features).parts_of(rows["object_id"].astype(str).tolist())
    with one_thread_each():
        probabilities = np.concatenate([classifier.svm.probabilities(part) for part in encoded])
    return make_predictions(rows["object_id"], rows["label"], probabilities, classifier.classes)


def _encode_into(books: Codebooks, examples: Examples, work: str, folder: Path) -> None:
    def stack(vectors: Iterator[np.ndarray]) -> np.ndarray:
        return np.array(list(vectors))

    store_features(examples, folder, work, partial(encode_files, codebooks=books), stack)
