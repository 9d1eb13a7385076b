"""Nodes of the machine on dense descriptors."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from kedro.pipeline import node

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.files import filled
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.models.networks.features import Features, store_features
from art_pipeline.models.svm.dense import (
    Codebooks,
    DenseSvm,
    DenseSvmOptions,
    encode_files,
    fit_codebooks,
    train_dense_svm,
)
from art_pipeline.models.training.images import Examples
from art_pipeline.pipelines.model.examples import fingerprint, originals, same
from art_pipeline.pipelines.model.machines import drawn_to_learn_from


def create_nodes() -> list:
    """Learn codebooks, encode all images by them, train on what came out, and judge by it."""
    read, options = same("manifest", "images"), {"options": "params:options"}
    learnt = same("manifest", "features", "codebooks") | options | {"max_side": "params:download.max_side"}
    return [
        node(learn, read | options, "codebooks", name="learn_codebooks", tags="train"),
        node(encode, read | same("codebooks") | options, "features", name="encode", tags="train"),
        node(train, learnt, "model", name="train", tags="train"),
        node(predict, same("manifest", "model", "features"), "predictions", name="predict", tags="predict"),
    ]


def learn(manifest: pd.DataFrame, images: Path, options: DenseSvmOptions) -> Callable[[Path], None]:
    """Learn from the splits that the options name; see `fit_codebooks`."""
    learnt_from = manifest[manifest["split"].isin(options.train_on)]
    return filled(fit_codebooks(learnt_from["object_id"].tolist(), images, options).save)


def encode(manifest: pd.DataFrame, images: Path, codebooks: Path, options: DenseSvmOptions) -> Callable[[Path], None]:
    """Encode the images of all splits; an interrupted attempt goes on where it stopped."""
    books, examples = Codebooks.load(codebooks, options), originals(manifest, images)
    work = fingerprint([options.model_dump(mode="json", exclude={"svm"})], examples, [images, codebooks])
    return partial(_encode_into, books, examples, work)


def train(
    manifest: pd.DataFrame, features: Path, codebooks: Path, options: DenseSvmOptions, max_side: int
) -> Callable[[Path], None]:
    """Train on the splits that the options name; see `train_dense_svm`."""
    rows = drawn_to_learn_from(manifest, options.train_on, options.svm)
    encoded = Features(features).of(rows["object_id"].astype(str))
    return filled(train_dense_svm(encoded, rows["label"], Codebooks.load(codebooks, options), max_side).save)


def predict(manifest: pd.DataFrame, model: Path, features: Path) -> pd.DataFrame:
    """Judge the test split, as it is encoded."""
    rows, classifier = manifest[manifest["split"] == "test"], DenseSvm.load(model)
    encoded = Features(features).parts_of(rows["object_id"].astype(str).tolist())
    with one_thread_each():
        probabilities = np.concatenate([classifier.svm.probabilities(part) for part in encoded])
    return make_predictions(rows["object_id"], rows["label"], probabilities, classifier.classes)


def _encode_into(books: Codebooks, examples: Examples, work: str, folder: Path) -> None:
    def stack(vectors: Iterator[np.ndarray]) -> np.ndarray:
        return np.array(list(vectors))

    store_features(examples, folder, work, partial(encode_files, codebooks=books), stack)
