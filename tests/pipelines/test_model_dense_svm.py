"""Nodes of the machine on dense descriptors, one after the other, as Kedro calls them."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.evaluation.predictions import split_predictions
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.models.networks import features as stored
from art_pipeline.models.svm import dense_svm_steps as dense_svm
from art_pipeline.models.svm.dense_svm import DenseSvm, DenseSvmOptions

CHANNEL = {"cell_sizes": [4], "step": 8, "components": 8, "words": 3}
OPTIONS = DenseSvmOptions(max_descriptors=900, shape=CHANNEL, colour=CHANNEL, svm={"C": [1], "folds": 2})
SIDES = ("train", "train", "validation", "test")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Folders, and a manifest of 24 noisy images, red and blue."""
    root = tmp_path_factory.mktemp("work")
    for name in ("images", "codebooks", "features", "model"):
        (root / name).mkdir()
    ids = range(1, 25)
    for one in ids:
        pixels = np.random.default_rng(one).uniform(0, 120, (48, 48, 3))
        pixels[..., 0 if one % 2 else 2] += 100
        Image.fromarray(pixels.astype(np.uint8)).save(image_path(root / "images", one))
    labels = ["red" if one % 2 else "blue" for one in ids]
    manifest = pd.DataFrame({"object_id": ids, "label": labels, "split": [SIDES[one // 2 % 4] for one in ids]})
    dense_svm.fit(manifest, root / "images", OPTIONS)(root / "codebooks")
    encode(root, manifest)(root / "features")
    dense_svm.train(manifest, root / "features", root / "codebooks", OPTIONS, 48)(root / "model")
    return root, manifest


def encode(root, manifest):
    return dense_svm.encode(manifest, root / "images", root / "codebooks", OPTIONS)


def test_the_test_split_is_judged_as_by_the_model_alone(work):
    root, manifest = work
    table = dense_svm.predict(manifest, root / "model", root / "features")
    held_out = manifest[manifest["split"] == "test"]
    assert table["object_id"].tolist() == held_out["object_id"].tolist()
    _, probabilities, classes = split_predictions(table)
    model = DenseSvm.load(root / "model")
    alone = model.probabilities(read_rgb(image_path(root / "images", one)) for one in held_out["object_id"])
    assert tuple(classes) == model.classes
    np.testing.assert_allclose(probabilities, alone, atol=1e-6)
    assert (np.array(classes)[probabilities.argmax(axis=1)] == held_out["label"]).all()


def test_it_learns_from_the_splits_that_it_names_alone(work, tmp_path):
    root, manifest = work
    changed = manifest.assign(label=manifest["label"].where(manifest["split"] != "test", "another"))
    dense_svm.train(changed, root / "features", root / "codebooks", OPTIONS, 48)(tmp_path)
    assert DenseSvm.load(tmp_path).classes == ("blue", "red")
    assert DenseSvm.load(tmp_path).training["trained_on"]["original"] == (manifest["split"] != "test").sum()


def test_only_features_of_images_that_were_drawn_are_read(work, tmp_path, monkeypatch):
    root, manifest = work
    read, of = [], stored.Features.of
    monkeypatch.setattr(stored.Features, "of", lambda self, names: read.extend(names) or of(self, names))
    few = OPTIONS.model_copy(update={"svm": OPTIONS.svm.model_copy(update={"max_examples": 10})})
    dense_svm.train(manifest, root / "features", root / "codebooks", few, 48)(tmp_path)
    assert len(read) == DenseSvm.load(tmp_path).training["trained_on"]["original"] == 10


def test_an_interrupted_encoding_goes_on_where_it_stopped(work, tmp_path, monkeypatch):
    root, manifest = work
    monkeypatch.setattr(stored, "PART", 8)
    seen = []

    def read(path):
        seen.append(path)
        if len(seen) == 15:
            raise KeyboardInterrupt
        return read_rgb(path)

    monkeypatch.setattr("art_pipeline.models.svm.dense_svm.read_rgb", read)
    with pytest.raises(KeyboardInterrupt):
        encode(root, manifest)(tmp_path)
    seen[:] = [None] * 100
    encode(root, manifest)(tmp_path)
    assert len(seen) - 100 == 16
    for name in ("features.npy", "images.json"):
        assert (tmp_path / name).read_bytes() == (root / "features" / name).read_bytes()
