"""Steps of the bag-of-words SVM."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Floats
from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.files import filled
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import derive_store
from art_pipeline.models.family import Step, by_name
from art_pipeline.models.features import StoredExtractors, feature_inputs, open_stores
from art_pipeline.models.predictions import predict_others
from art_pipeline.models.svm.bow_svm import (
    BowSvm,
    BowSvmOptions,
    VisualWords,
    load_vocabulary,
    save_vocabulary,
    train_bow_svm,
)
from art_pipeline.models.svm.cache import fingerprint_of, keep_while
from art_pipeline.models.svm.folds import find_groups
from art_pipeline.models.svm.vocabulary import count_words, fit_vocabulary
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples
from art_pipeline.tasks.options import TaskOptions

Fill = Callable[[Path], None]


def bow_steps(options: BowSvmOptions) -> list[Step]:
    """Return the steps: fit the vocabulary, count the words of the images of all splits, train, predict."""
    own, stores = by_name("manifest") | {"options": "params:options"}, feature_inputs(options.features)
    learnt = own | stores | by_name("near_duplicates", "codebooks", "encodings")
    fixed = {"max_side": "params:download.max_side", "task": "params:task"}
    known = by_name("manifest", "out_of_fold", "model", "encodings")
    return [
        Step(fit, own | stores, "codebooks", "fit_codebooks", "train"),
        Step(encode, own | stores | by_name("codebooks"), "encodings", "encode", "train"),
        Step(train, learnt | fixed, ["model", "out_of_fold"], "train", "train"),
        Step(predict, known, "predictions", "predict", "predict"),
    ]


def fit(manifest: pd.DataFrame, options: BowSvmOptions, **features: Any) -> Fill:
    """Fit the vocabulary on the splits of ``train_on``; see `fit_vocabulary`."""
    (store,) = open_stores(options.features, features)
    ids = manifest.loc[manifest["split"].isin(options.train_on), "object_id"].tolist()
    store.counts_of(ids)  # raises where an image is missing
    digests = store.index.set_index("object_id")["digest"].loc[ids]
    examples = Examples(tuple(map(str, ids)), tuple(digests))
    blocks = [options.vocabulary.model_dump(mode="json"), store.config]

    def save(folder: Path) -> None:
        with one_thread_each():
            save_vocabulary(folder, fit_vocabulary(store, ids, options.vocabulary))

    return keep_while(fingerprint(options.REQUIREMENTS, blocks, examples, []), save)


def encode(manifest: pd.DataFrame, options: BowSvmOptions, codebooks: Path, **features: Any) -> Fill:
    """Count the words of the images of all splits; new images are added."""
    (store,) = open_stores(options.features, features)
    counter = WordCounter(load_vocabulary(codebooks), fingerprint_of(codebooks))

    def fill(folder: Path) -> None:
        with one_thread_each():
            derive_store(folder, store, manifest["object_id"].tolist(), counter)

    return fill


def train(  # noqa: PLR0913, PLR0917
    manifest: pd.DataFrame,
    options: BowSvmOptions,
    max_side: int,
    task: TaskOptions,
    near_duplicates: pd.DataFrame,
    codebooks: Path,
    encodings: Path,
    **features: Any,
) -> tuple[Fill, pd.DataFrame]:
    """Train on the splits of ``train_on``, and predict them out of fold; see `train_bow_svm`."""
    stores = dict(zip(options.features, open_stores(options.features, features), strict=True))
    rows = manifest[manifest["split"].isin(options.train_on)]
    counts = FeatureStore(encodings).of(rows["object_id"].tolist())
    words = VisualWords(StoredExtractors.of(stores), load_vocabulary(codebooks))
    with one_thread_each():
        groups = find_groups(rows, near_duplicates)
        model = train_bow_svm(counts, rows["label"].tolist(), options, words, max_side, task.kind, groups)
    return filled(model.save), model.predict_out_of_fold(rows)


def predict(manifest: pd.DataFrame, out_of_fold: pd.DataFrame, model: Path, encodings: Path) -> pd.DataFrame:
    """Predict the other images from their word counts."""
    classifier, counted = BowSvm.load(model), FeatureStore(encodings)

    def probabilities_of(rows: pd.DataFrame) -> Floats:
        return classifier.probabilities_from_counts(counted.of(rows["object_id"].tolist()))

    with one_thread_each():
        return predict_others(manifest, out_of_fold, classifier, probabilities_of)


class WordCounter:
    """Local descriptors to word counts; an `art_pipeline.features.update.Encoder`.

    Args:
        vocabulary: (words, length) float32.
        fingerprint: Fingerprint of the vocabulary.
    """

    weights: Path | None = None

    def __init__(self, vocabulary: np.ndarray, fingerprint: str):
        self._vocabulary, self._fingerprint = vocabulary, fingerprint
        self.length, self.dtype = len(vocabulary), np.dtype(np.float32)

    def get_config(self) -> Mapping[str, Any]:
        """Return the fingerprint of the vocabulary, which covers its options, its training images and the code."""
        return {"encoder": "words", "codebooks": self._fingerprint}

    def encode(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the (1, words) float32 counts of each image."""
        return (counts[None] for counts in count_words(blocks, self._vocabulary))
