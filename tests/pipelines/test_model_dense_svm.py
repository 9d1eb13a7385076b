"""Steps of the SVM on dense descriptors, one after the other, as Kedro calls them."""

import shutil

import numpy as np
import pandas as pd
import pytest

from art_pipeline.evaluation.predictions import test_rows as rows_of_test
from art_pipeline.features.extractor import read_status
from art_pipeline.features.store import FeatureStore
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.models.svm import dense_svm_steps as dense_svm
from art_pipeline.models.svm.dense_svm import DenseSvm, DenseSvmOptions
from art_pipeline.tasks.options import TaskOptions

CHANNEL = {"cell_sizes": [4], "step": 8, "components": 8, "words": 3}
OPTIONS = DenseSvmOptions(
    task="department", max_descriptors=900, shape=CHANNEL, colour=CHANNEL, svm={"C": [1], "folds": 2}
)
TASK = TaskOptions(label="label")
NO_PAIRS = pd.DataFrame(columns=["object_id", "other_id"], dtype=np.int64)


@pytest.fixture(scope="module")
def work(project):
    """The project, after training; with its out-of-fold predictions."""
    root = project.root
    for name in ("codebooks", "encodings", "model"):
        (root / name).mkdir()
    dense_svm.fit(project.manifest, project.images, OPTIONS)(root / "codebooks")
    encode(project)(root / "encodings")
    save, project.out_of_fold = train(project, project.manifest)
    save(root / "model")
    return project


def encode(work, options=OPTIONS):
    return dense_svm.encode(work.manifest, work.images, work.root / "codebooks", options)


def train(work, manifest, options=OPTIONS, near_duplicates=NO_PAIRS):
    folders = work.root / "encodings", work.root / "codebooks"
    return dense_svm.train(manifest, near_duplicates, *folders, options, 48, TASK)


def test_near_duplicates_are_in_the_same_fold(work, monkeypatch):
    found = []
    monkeypatch.setattr(dense_svm, "train_dense_svm", lambda *given: found.append(given[-1]))
    learning = work.manifest[work.manifest["split"] != "test"]["object_id"].to_numpy()
    pairs = pd.DataFrame({"object_id": learning[:-1:2], "other_id": learning[1::2]})
    with pytest.raises(AttributeError):  # nothing is trained
        train(work, work.manifest, near_duplicates=pairs)
    assert found[0][:-1:2].tolist() == found[0][1::2].tolist()
    assert len(set(found[0])) == len(learning) // 2


def content(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_predictions_from_encodings_are_those_of_the_model_alone(work):
    table = dense_svm.predict(work.manifest, work.out_of_fold, work.root / "model", work.root / "encodings")
    assert table["object_id"].tolist() == work.manifest["object_id"].tolist()
    test = rows_of_test(table)
    model = DenseSvm.load(work.root / "model")
    alone = model.probabilities(read_rgb(image_path(work.images, one)) for one in test["object_id"])
    np.testing.assert_allclose(test[[f"p:{name}" for name in model.classes]], alone, atol=1e-6)
    assert (np.array(model.classes)[alone.argmax(axis=1)] == test["label"]).all()


def test_it_is_trained_on_the_splits_of_train_on_only(work, tmp_path):
    changed = work.manifest.assign(label=work.manifest["label"].where(work.manifest["split"] != "test", "another"))
    save, _ = train(work, changed)
    save(tmp_path)
    assert DenseSvm.load(tmp_path).classes == ("blue", "red")
    assert DenseSvm.load(tmp_path).training["trained_on"]["original"] == (work.manifest["split"] != "test").sum()


def test_only_encodings_of_the_subsample_are_read(work, tmp_path, monkeypatch):
    read, of = [], FeatureStore.of
    monkeypatch.setattr(FeatureStore, "of", lambda self, ids: read.extend(ids) or of(self, ids))
    few = OPTIONS.model_copy(update={"svm": OPTIONS.svm.model_copy(update={"max_examples": 10})})
    save, _ = train(work, work.manifest, few)
    save(tmp_path)
    assert len(read) == DenseSvm.load(tmp_path).training["trained_on"]["original"] == 10


def test_an_interrupted_encoding_resumes(work, tmp_path, monkeypatch):
    seen = []

    def read(path):
        seen.append(path)
        if len(seen) == 15:
            raise KeyboardInterrupt
        return read_status(path)

    monkeypatch.setattr(dense_svm, "read_status", read)
    with pytest.raises(KeyboardInterrupt):
        encode(work)(tmp_path)
    seen[:] = [None] * 100
    encode(work)(tmp_path)
    assert 24 - 14 <= len(seen) - 100 < 24
    assert content(tmp_path) == content(work.root / "encodings")


@pytest.mark.parametrize("key", ["svm", "task"])
def test_other_options_of_the_svm_compute_neither_codebooks_nor_encodings(work, monkeypatch, key):
    other = OPTIONS.model_copy(update={"svm": OPTIONS.svm.model_copy(update={"C": (7,)}), "task": "x"})
    other = OPTIONS.model_copy(update={key: getattr(other, key)})
    monkeypatch.setattr(dense_svm, "fit_codebooks", None)
    monkeypatch.setattr(dense_svm, "read_status", None)
    before = content(work.root / "codebooks"), content(work.root / "encodings")
    dense_svm.fit(work.manifest, work.images, other)(work.root / "codebooks")
    encode(work, other)(work.root / "encodings")
    assert (content(work.root / "codebooks"), content(work.root / "encodings")) == before


def test_another_training_image_or_number_of_words_does(work, tmp_path):
    shutil.copytree(work.root / "codebooks", tmp_path / "codebooks")
    seed = OPTIONS.model_copy(update={"seed": 1})
    for manifest, options in ((work.manifest.iloc[4:], OPTIONS), (work.manifest, seed)):
        before = content(tmp_path / "codebooks")
        dense_svm.fit(manifest, work.images, options)(tmp_path / "codebooks")
        assert content(tmp_path / "codebooks") != before
