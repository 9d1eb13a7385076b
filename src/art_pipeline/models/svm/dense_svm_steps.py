"""Steps of the SVM on dense descriptors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Floats
from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.files import filled
from art_pipeline.features.extractor import read_status
from art_pipeline.features.store import FeatureStore, GlobalFeatures
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import image_path
from art_pipeline.models.family import Step, by_name
from art_pipeline.models.predictions import predict_others
from art_pipeline.models.svm.cache import fingerprint_of, keep_while
from art_pipeline.models.svm.dense_svm import Codebooks, DenseSvm, DenseSvmOptions, fit_codebooks, train_dense_svm
from art_pipeline.models.svm.search import training_rows
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples
from art_pipeline.tasks.options import TaskOptions

Fill = Callable[[Path], None]
# Options that change neither codebooks nor encodings.
LATER = {"kind", "task", "train_on", "thresholds", "decide", "svm"}


def dense_steps() -> list[Step]:
    """Return the steps: fit codebooks, encode the images of all splits, train, predict."""
    read, options = by_name("manifest", "images"), {"options": "params:options"}
    fixed = options | {"max_side": "params:download.max_side", "task": "params:task"}
    train_inputs = by_name("manifest", "near_duplicates", "encodings", "codebooks") | fixed
    known = by_name("manifest", "out_of_fold", "model", "encodings")
    return [
        Step(fit, read | options, "codebooks", "fit_codebooks", "train"),
        Step(encode, read | by_name("codebooks") | options, "encodings", "encode", "train"),
        Step(train, train_inputs, ["model", "out_of_fold"], "train", "train"),
        Step(predict, known, "predictions", "predict", "predict"),
    ]


def fit(manifest: pd.DataFrame, images: Path, options: DenseSvmOptions) -> Fill:
    """Fit codebooks on the splits of ``train_on``; see `fit_codebooks`."""
    ids = manifest.loc[manifest["split"].isin(options.train_on), "object_id"].tolist()
    files = [image_path(images, one) for one in ids]
    work = fingerprint(options.REQUIREMENTS, [_block(options)], Examples(tuple(map(str, ids))), files)
    return keep_while(work, lambda folder: fit_codebooks(ids, images, options).save(folder))


def encode(manifest: pd.DataFrame, images: Path, codebooks: Path, options: DenseSvmOptions) -> Fill:
    """Encode the images of all splits; new images are added, and an interrupted run resumes."""
    encoder = DenseEncoder(Codebooks.load(codebooks, options), fingerprint_of(codebooks))
    files = {object_id: image_path(images, object_id) for object_id in manifest["object_id"].tolist()}

    def fill(folder: Path) -> None:
        update_store(folder, files, encoder)

    return fill


def train(  # noqa: PLR0913, PLR0917
    manifest: pd.DataFrame,
    near_duplicates: pd.DataFrame,
    encodings: Path,
    codebooks: Path,
    options: DenseSvmOptions,
    max_side: int,
    task: TaskOptions,
) -> tuple[Fill, pd.DataFrame]:
    """Train on the splits of ``train_on``, and predict them out of fold; see `train_dense_svm`."""
    rows, groups = training_rows(manifest, near_duplicates, options.train_on, options.svm, task.kind)
    encoded = FeatureStore(encodings).of(rows["object_id"].tolist())
    books = Codebooks.load(codebooks, options)
    model = train_dense_svm(encoded, rows["label"].tolist(), books, max_side, task.kind, groups)
    return filled(model.save), model.predict_out_of_fold(rows)


def predict(manifest: pd.DataFrame, out_of_fold: pd.DataFrame, model: Path, encodings: Path) -> pd.DataFrame:
    """Predict the other images from their encodings."""
    classifier, encoded = DenseSvm.load(model), GlobalFeatures([FeatureStore(encodings)])

    def probabilities_of(rows: pd.DataFrame) -> Floats:
        parts = encoded.parts_of(rows["object_id"].tolist())
        probabilities: Floats = np.concatenate([classifier.svm.probabilities(part) for part in parts])
        return probabilities

    with one_thread_each():
        return predict_others(manifest, out_of_fold, classifier, probabilities_of)


class DenseEncoder:
    """Image files to encoded dense descriptors; an `art_pipeline.features.store.Extractor`.

    Args:
        codebooks: Codebooks of the training images.
        fingerprint: Their fingerprint.
    """

    weights: Path | None = None

    def __init__(self, codebooks: Codebooks, fingerprint: str):
        self._codebooks, self._fingerprint = codebooks, fingerprint
        self.length, self.dtype = codebooks.length, np.dtype(np.float32)

    def get_config(self) -> Mapping[str, Any]:
        """Return the fingerprint of the codebooks, which covers the options, the training images and the code."""
        return {"encoder": "dense", "codebooks": self._fingerprint}

    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield status and (1, length) float32 of each image file, in order, on all cores."""
        with one_thread_each():
            yield from map_ordered(self._encode, files, cpu_count())

    def _encode(self, file: Path) -> tuple[str, np.ndarray]:
        status, pixels = read_status(file)
        return status, np.empty((0, self.length), self.dtype) if pixels is None else self._codebooks.encode(pixels)[
            None
        ]


def _block(options: DenseSvmOptions) -> dict[str, Any]:
    return options.model_dump(mode="json", exclude=LATER)
