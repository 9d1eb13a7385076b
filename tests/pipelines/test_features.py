"""Stages of features, and models that read them, as Kedro runs them."""

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.distributed.options import FeatureEngineOptions
from art_pipeline.evaluation.predictions import test_rows as rows_of_test
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.networks.frozen import FrozenNetwork
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.store import FeatureStore
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.kedro_ext.datasets import FolderDataset
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.networks.trained_head import TrainedHead
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.svm import bow_svm_steps
from art_pipeline.models.svm.bow_svm import BowSvmOptions
from art_pipeline.models.svm.feature_svm import FeatureSvm, FeatureSvmOptions
from art_pipeline.pipelines.features.pipeline import create_augmented_pipeline, create_pipeline
from art_pipeline.pipelines.model import pipeline as model
from art_pipeline.tasks.options import TaskOptions

FEATURES = {
    "colours": ColourMomentsOptions(),
    "net": FrozenMobileNetV2Options(image_size=32, layers=("block_1_expand_relu",), images="selected"),
    "sift": SiftOptions(),
}
GRID = {"C": [1], "folds": 2}
TRAINING = {"epochs": 2, "batch_size": 4, "calibrate": False}
MODELS = {
    "svm": FeatureSvmOptions(task="colour", features=["net", "colours"], svm=GRID),
    "head": HeadOptions(
        task="colour", features=["colours", "net"], augmented=True, standardise=True, dropout=0.2, training=TRAINING
    ),
    "bow": BowSvmOptions(task="colour", features=["sift"], vocabulary={"words": 5}, svm=GRID),
}
STORES = ["features.net.augmented.colour", "features.colours.augmented.colour", "features.net.weights"]
FOLDERS = [*STORES, *(f"features.{name}" for name in FEATURES), "bow.codebooks", "bow.encodings"]


@pytest.fixture(scope="module")
def inputs(project):
    """What the stages read; one image is unusable, and one is in no task."""
    copies = project.root / "copies"
    copies.mkdir()
    augmentation = pd.DataFrame({"image": ["3_1", "1_1"], "object_id": [3, 1], "label": ["red", "red"]})
    for image in augmentation["image"]:
        Image.fromarray(np.full((40, 50, 3), (200, 30, 40), np.uint8)).save(image_path(copies, image))
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(image_path(project.images, 99))
    ids = [*project.manifest["object_id"], 98, 99]
    return {
        "image_table": pd.DataFrame({"object_id": ids, "status": ["ok"] * 24 + ["truncated", "ok"]}),
        "images": project.images,
        "colour.manifest": project.manifest,
        "colour.near_duplicates": pd.DataFrame({"object_id": [], "other_id": []}, dtype=np.int64),
        "colour.augmentation": augmentation,
        "colour.augmented_images": copies,
        "params:compute": ComputeOptions(),
        "params:compute_features": FeatureEngineOptions(),
        "params:download.max_side": 48,
        "params:tasks.colour": TaskOptions(label="label"),
        **{f"params:features.{name}": options for name, options in FEATURES.items()},
        **{f"params:{name}": options for name, options in MODELS.items()},
    }


@pytest.fixture(scope="module")
def catalog(inputs, project):
    """A catalog after a run of all stages."""
    folders = [*FOLDERS, *(f"{name}.model" for name in MODELS)]
    resumed = {name: not name.endswith(".model") for name in folders}
    found = DataCatalog(
        {name: MemoryDataset(value, copy_mode="assign") for name, value in inputs.items()}
        | {name: FolderDataset((project.root / "out" / name).as_posix(), resumed[name]) for name in folders}
        | {f"{name}.predictions": MemoryDataset() for name in MODELS}
    )
    SequentialRunner().run(stages() + models(), found)
    return found


def stages():
    own = [create_pipeline(name, options, ["colour"]) for name, options in FEATURES.items()]
    copies = [create_augmented_pipeline(name, FEATURES[name], "colour") for name in ("net", "colours")]
    return sum(copies, sum(own[1:], own[0]))


def models():
    parts = [model.create_pipeline(name, options).to_outputs(f"{name}.predictions") for name, options in MODELS.items()]
    return sum(parts[1:], parts[0])


def test_stages_read_what_their_options_need_and_nothing_else():
    found = {name: create_pipeline(name, options, ["a", "b"]) for name, options in FEATURES.items()}
    assert found["colours"].inputs() == {"images", "image_table", "params:features.colours", "params:compute_features"}
    manifests = {"a.manifest", "b.manifest"}
    settings = {"params:features.net", "params:compute", "params:compute_features"}
    assert found["net"].inputs() == {"images", *manifests, *settings}
    assert found["net"].all_outputs() == {"features.net", "features.net.weights"}
    copies = create_augmented_pipeline("net", FEATURES["net"], "a")
    assert copies.outputs() == {"features.net.augmented.a"}
    assert copies.inputs() == {
        "a.augmentation",
        "a.augmented_images",
        "features.net.weights",
        "params:features.net",
        "params:compute",
    }


@pytest.mark.filterwarnings("ignore:One or more dataset names contain")  # Kedro's, once a process
def test_models_read_their_features_and_no_images():
    for name, options in MODELS.items():
        read = set(model.create_pipeline(name, options).to_outputs(f"{name}.predictions").inputs())
        features = {f"features.{one}" for one in options.features}
        if name == "head":
            features |= {f"features.{one}.augmented.colour" for one in options.features} | {"colour.augmentation"}
        tables = {"colour.manifest"} if name == "head" else {"colour.manifest", "colour.near_duplicates"}
        assert {one for one in read if not one.startswith("params:")} == tables | features
        assert {f"params:features.{one}" for one in options.features} <= read


def test_all_usable_images_have_features_or_the_selected_ones(catalog, project):
    selected = project.manifest["object_id"].tolist()
    for name, expected in {"colours": [*selected, 99], "sift": [*selected, 99], "net": selected}.items():
        assert FeatureStore(catalog.load(f"features.{name}")).index["object_id"].tolist() == expected
    copies = FeatureStore(catalog.load("features.net.augmented.colour"))
    assert copies.index["object_id"].tolist() == [0, 1]


@pytest.mark.parametrize("name", MODELS)
def test_predictions_from_features_are_those_of_the_stored_model_from_images(catalog, project, name):
    table = catalog.load(f"{name}.predictions")
    assert table["object_id"].tolist() == project.manifest["object_id"].tolist()
    test = rows_of_test(table)
    classifier = load_classifier(catalog.load(f"{name}.model"))
    assert (classifier.classes, classifier.max_side) == (("blue", "red"), 48)
    alone = classifier.probabilities(read_rgb(image_path(project.images, one)) for one in test["object_id"])
    np.testing.assert_allclose(test[["p:blue", "p:red"]], alone, atol=1e-5)
    if name != "bow":
        assert (np.array(classifier.classes)[alone.argmax(axis=1)] == test["label"]).all()


def test_training_images_are_predicted_out_of_fold_or_marked(catalog, project):
    splits = project.manifest.set_index("object_id")["split"]
    origins = {name: catalog.load(f"{name}.predictions").set_index("object_id")["origin"] for name in MODELS}
    for name, known in {"svm": ("train", "validation"), "head": ("train",)}.items():
        expected = {"svm": "out_of_fold", "head": "resubstitution"}[name]
        assert (origins[name][splits.isin(known)] == expected).all()
        assert (origins[name][~splits.isin(known)] == "held_out").all()


def test_a_head_trains_on_augmented_images_too(catalog):
    trained = TrainedHead.load(catalog.load("head.model"))
    assert trained.training["trained_on"] == {"original": 12, "generated": 2}
    assert trained.training["features_per_image"] == 9 + 96
    assert trained.history["epoch"].tolist() == [1, 2]
    assert trained.extractors.folders.keys() == {"colours", "net"}


def test_a_second_run_computes_nothing_of_features_and_encodings(catalog, project, monkeypatch):
    folders = [project.root / "out" / name for name in FOLDERS]
    before = [{file: file.stat().st_mtime_ns for file in folder.rglob("*")} for folder in folders]
    monkeypatch.setattr(FrozenNetwork, "base", None)
    monkeypatch.setattr(bow_svm_steps, "fit_vocabulary", None)
    grid = MODELS["bow"].svm.model_copy(update={"C": (3.0,)})
    catalog["params:bow"] = MemoryDataset(MODELS["bow"].model_copy(update={"svm": grid}), copy_mode="assign")
    bow = model.create_pipeline("bow", MODELS["bow"]).to_outputs("bow.predictions")
    SequentialRunner().run(stages() + bow, catalog)
    assert [{file: file.stat().st_mtime_ns for file in folder.rglob("*")} for folder in folders] == before
    assert load_classifier(catalog.load("bow.model")).training["best"]["C"] == 3


def test_a_stored_model_needs_nothing_else(catalog, project, tmp_path):
    stored = FeatureSvm.load(catalog.load("svm.model"))
    stored.save(tmp_path)
    (tmp_path / "again").mkdir()
    FeatureSvm.load(tmp_path).save(tmp_path / "again")
    image = [read_rgb(image_path(project.images, 1))]
    expected = stored.probabilities(image)
    np.testing.assert_array_equal(load_classifier(tmp_path / "again").probabilities(image), expected)
