"""Nodes of a machine on a network's features, after those of the network, as Kedro runs them."""

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.errors import ModelError
from art_pipeline.evaluation.predictions import split_predictions
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.kedro_ext.datasets import FolderDataset
from art_pipeline.models.networks.features import Features
from art_pipeline.models.networks.mobilenet_v2 import MobileNetV2Options
from art_pipeline.models.networks.network import Network
from art_pipeline.models.svm import feature_svm_steps as feature_svm
from art_pipeline.models.svm.feature_svm import FeatureSvm, FeatureSvmOptions
from art_pipeline.pipelines.evaluate.options import EvaluateOptions
from art_pipeline.pipelines.model.pipeline import create_pipeline

COMPUTE = ComputeOptions()
NETWORK = MobileNetV2Options(image_size=32, trainable_layers=0, weights="random", training={"epochs": 1})
OPTIONS = FeatureSvmOptions(features_of="net", svm={"C": [1], "folds": 2})
SIDES = ("train", "train", "validation", "test")
FOLDERS = ("net.weights", "net.features", "net.model", "svm.model")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Folders and a manifest of 24 noisy images, red and blue, and the catalog after a run."""
    root = tmp_path_factory.mktemp("project")
    (root / "images").mkdir()
    ids = range(1, 25)
    for one in ids:
        pixels = np.random.default_rng(one).uniform(0, 120, (48, 40, 3))
        pixels[..., 0 if one % 2 else 2] += 100
        Image.fromarray(pixels.astype(np.uint8)).save(image_path(root / "images", one))
    labels = ["red" if one % 2 else "blue" for one in ids]
    manifest = pd.DataFrame({"object_id": ids, "label": labels, "split": [SIDES[one // 2 % 4] for one in ids]})
    return root, manifest


@pytest.fixture(scope="module")
def ran(project):
    root, manifest = project
    given = {
        "manifest": manifest,
        "images": root / "images",
        "params:net": NETWORK,
        "params:svm": OPTIONS,
        "params:compute": COMPUTE,
        "params:download.max_side": 48,
        "params:evaluate": EvaluateOptions(),
    }
    catalog = DataCatalog(
        {name: MemoryDataset(value, copy_mode="assign") for name, value in given.items()}
        | {name: FolderDataset(root / name) for name in FOLDERS}
        | {"svm.predictions": MemoryDataset()}
    )
    first = create_pipeline("net", NETWORK).to_outputs("net.model")
    second = create_pipeline("svm", OPTIONS).to_outputs("svm.predictions")
    SequentialRunner().run(first + second, catalog)
    return catalog


@pytest.mark.filterwarnings("ignore:One or more dataset names contain")  # Kedro's, once a process
def test_it_reads_the_network_and_its_features_and_no_images():
    nodes = {node.name: node for node in OPTIONS.steps()}
    assert set(nodes["predict"].inputs.values()) == {"manifest", "model", "net.features"}
    found = create_pipeline("svm", OPTIONS)
    assert {one for one in found.inputs() if one.startswith("net.")} == {"net.features", "net.model"}
    assert {one for one in found.inputs() if one.startswith("params:")} == {
        "params:svm",
        "params:download.max_side",
        "params:evaluate",
    }


def test_the_test_split_is_judged_as_by_the_model_alone(project, ran):
    root, manifest = project
    table = ran.load("svm.predictions")
    held_out = manifest[manifest["split"] == "test"]
    assert table["object_id"].tolist() == held_out["object_id"].tolist()
    _, probabilities, classes = split_predictions(table)
    model = FeatureSvm.load(ran.load("svm.model"))
    assert tuple(classes) == model.classes
    alone = model.probabilities(read_rgb(image_path(root / "images", one)) for one in held_out["object_id"])
    np.testing.assert_allclose(probabilities, alone, atol=1e-6)
    assert (np.array(classes)[probabilities.argmax(axis=1)] == held_out["label"]).all()
    assert model.max_side == 48


def test_it_learns_from_the_splits_that_it_names_alone(project, ran, tmp_path):
    _, manifest = project
    changed = manifest.assign(label=manifest["label"].where(manifest["split"] == "train", "another"))
    options = OPTIONS.model_copy(update={"train_on": ("train",)})
    feature_svm.train(changed, ran.load("net.features"), ran.load("net.model"), options, 48)(tmp_path)
    model = FeatureSvm.load(tmp_path)
    assert model.classes == ("blue", "red")
    assert model.training["trained_on"]["original"] == (manifest["split"] == "train").sum()


def test_only_features_of_images_that_were_drawn_are_read(project, ran, tmp_path, monkeypatch):
    _, manifest = project
    read, of = [], Features.of
    monkeypatch.setattr(Features, "of", lambda self, names: read.extend(names) or of(self, names))
    few = OPTIONS.model_copy(update={"svm": OPTIONS.svm.model_copy(update={"max_examples": 10})})
    feature_svm.train(manifest, ran.load("net.features"), ran.load("net.model"), few, 48)(tmp_path)
    assert len(read) == FeatureSvm.load(tmp_path).training["trained_on"]["original"] == 10


def test_an_image_without_features_is_told(project, ran):
    _, manifest = project
    more = pd.concat([manifest, manifest.iloc[:1].assign(object_id=99)])
    with pytest.raises(ModelError, match=r"no features of image 99 .* Run the model again that computes them"):
        feature_svm.train(more, ran.load("net.features"), ran.load("net.model"), OPTIONS, 48)


def test_the_network_is_kept_as_it_was_stored(project, ran, tmp_path):
    _, manifest = project
    feature_svm.train(manifest, ran.load("net.features"), ran.load("net.model"), OPTIONS, 48)(tmp_path)
    kept, stored = FeatureSvm.load(tmp_path).network, Network.load(ran.load("net.model"))
    assert kept.options == NETWORK
    for one, other in zip(kept.base.get_weights(), stored.base.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
