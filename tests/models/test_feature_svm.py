"""An SVM on stored features: classical ones, and those of a small frozen network with random weights."""

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from art_pipeline.errors import FeatureError, ModelError
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.store import FeatureStore, GlobalFeatures
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.models.classifier import read_details
from art_pipeline.models.features import StoredExtractors, feature_inputs, open_stores
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.svm.feature_svm import FeatureSvm, FeatureSvmOptions, Scale, train_feature_svm

NETWORK = FrozenMobileNetV2Options(image_size=32, layers=("block_1_expand_relu",))
OPTIONS = FeatureSvmOptions(task="colour", features=["net", "colours"], svm={"C": [1, 10], "folds": 3})
LINEAR = OPTIONS.model_copy(update={"kernel": "linear"})
LABELS = ["red", "blue"] * 14
LEARNT = list(range(20))


def paint(number):
    """A red or a blue image, by turns, of different shapes."""
    pixels = np.random.default_rng(number).integers(0, 150, (20 + number % 3, 30, 3), np.uint8)
    pixels[..., 2 * (number % 2)] += 100
    return pixels


@pytest.fixture(scope="module")
def stores(keras, tmp_path_factory):  # noqa: ARG001
    """Stores of both features, and the images, of which the last eight are not learnt from."""
    root = tmp_path_factory.mktemp("stores")
    files = {}
    for number in range(28):
        files[number] = image_path(root, number)
        Image.fromarray(paint(number)).save(files[number], quality=95)
    for name in ("weights", "net", "colours"):
        (root / name).mkdir()
    NETWORK.fetch(root / "weights")
    update_store(root / "net", files, NETWORK.create(root / "weights"))
    update_store(root / "colours", files, ColourMomentsOptions().create())
    return {name: FeatureStore(root / name) for name in ("net", "colours")}, files


@pytest.fixture(scope="module")
def work(stores):
    """A function that trains a model by its kernel; and the features that it reads."""
    extractors, features = StoredExtractors.of(stores[0]), GlobalFeatures(list(stores[0].values()))
    models = {
        one.kernel: train_feature_svm(features.of(LEARNT), LABELS[:20], one, extractors, 30)
        for one in (OPTIONS, LINEAR)
    }
    return models, features


BOTH = pytest.mark.parametrize("kernel", ["rbf", "linear"])


@BOTH
def test_new_images_are_classified_correctly(work, stores, kernel):
    model = work[0][kernel]
    probabilities = model.probabilities(read_rgb(stores[1][one]) for one in range(20, 28))
    assert model.classes == ("blue", "red")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert [model.classes[one] for one in probabilities.argmax(axis=1)] == LABELS[20:]
    assert model.training["features_per_image"] == 96 + 9


@BOTH
def test_decision_values_equal_scikit_learns_on_standardized_features(work, kernel):
    model, features = work[0][kernel], work[1].of(LEARNT)
    scaled = StandardScaler().fit_transform(features.astype(float))
    C, gamma = model.training["best"]["C"], 1 / features.shape[1]
    for number, name in enumerate(model.classes):
        peer = SVC(C=C, gamma=gamma, kernel=kernel).fit(scaled, np.array(LABELS[:20]) == name)
        found = model.svm.decision_function(model.scale.transform(features).astype(np.float32))[:, number]
        np.testing.assert_allclose(found, peer.decision_function(scaled), atol=2e-3)


def test_defaults_of_the_grid_suit_standardised_features():
    assert (OPTIONS.svm.C, OPTIONS.svm.gamma) == ((1, 10), ("auto",))
    assert FeatureSvmOptions(task="one", features=["a"], svm={"folds": 2}).svm.C == (1, 3, 10, 30)


@BOTH
def test_a_loaded_model_predicts_the_same_from_images_and_features(work, stores, tmp_path, kernel):
    model, features = work[0][kernel], work[1].of(LEARNT)
    model.save(tmp_path)
    expected = model.probabilities_from_features(features)
    found = load_classifier(tmp_path)
    assert isinstance(found, FeatureSvm)
    assert (found.classes, found.max_side, found.options) == (model.classes, 30, model.options)
    assert found.probabilities_from_features(features).tolist() == expected.tolist()
    images = (read_rgb(stores[1][one]) for one in LEARNT)
    np.testing.assert_allclose(found.probabilities(images), expected, rtol=1e-9)
    assert found.probabilities([]).shape == (0, 2)
    assert read_details(tmp_path)["features"] == ["net", "colours"]
    assert read_details(tmp_path)["trained_on"] == {"original": 20, "generated": 0}


def test_features_are_classified_without_loading_the_network(work, tmp_path):
    models, features = work
    models["rbf"].save(tmp_path)
    (tmp_path / "features" / "net" / "weights" / "base.weights.h5").unlink()
    assert load_classifier(tmp_path).probabilities_from_features(features.of(LEARNT)).shape == (20, 2)


def test_the_same_bytes_come_again(work, tmp_path):
    models, features = work
    again = train_feature_svm(features.of(LEARNT), LABELS[:20], OPTIONS, models["rbf"].extractors, 30)
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, one in zip(folders, (models["rbf"], again), strict=True):
        folder.mkdir()
        one.save(folder)
    first, second = ({f.relative_to(d): f.read_bytes() for f in d.rglob("*.*")} for d in folders)
    assert first == second
    assert {one.parts[0] for one in first} == {"model.json", "features", "scale", "svm"}
    assert sum(one.name == "base.weights.h5" for one in first) == 1


@pytest.mark.parametrize("file", ["scale/mean.npy", "features/net/extractor.json"])
def test_a_damaged_model_is_an_error(work, tmp_path, file):
    work[0]["rbf"].save(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(ModelError, match=r"is damaged .* Train it again"):
        load_classifier(tmp_path)


@given(st.integers(2, 30), st.integers(1, 5), st.integers(0, 2**16))
def test_features_come_to_mean_0_and_variance_1_where_they_differ(n, width, seed):
    features = np.random.default_rng(seed).normal(3, 7, (n, width)).astype(np.float32)
    features[:, 0] = 5  # the same for all
    scaled = Scale.fit(features).transform(features)
    assert scaled.dtype == np.float64
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), [0, *[1] * (width - 1)], atol=1e-9)


@pytest.mark.parametrize(
    ("labels", "why"), [(["red"] * 20, "at least two classes"), (["red"] * 19 + ["blue"], "has one training image")]
)
def test_too_few_classes_or_images_are_an_error(work, labels, why):
    models, features = work
    with pytest.raises(ModelError, match=why):
        train_feature_svm(features.of(LEARNT), labels, OPTIONS, models["rbf"].extractors, 30)


def test_local_descriptors_are_refused():
    assert OPTIONS.feature_names() == ("net", "colours")
    assert OPTIONS.find_feature_problem({"net": NETWORK, "colours": ColourMomentsOptions()}) is None
    assert "colours (sift) has any number of rows per image" in OPTIONS.find_feature_problem({"colours": SiftOptions()})


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"features": []}, "features"),
        ({"features": ["a", "a"]}, "features holds 'a' twice"),
        ({"features": ["a"], "kernel": "linear", "svm": {"gamma": [1]}}, "a linear SVM has no gamma"),
        ({"features": ["a"], "kernel": "poly"}, "kernel"),
    ],
)
def test_what_cannot_be_asked_for(wrong, why):
    with pytest.raises(ValidationError, match=why):
        FeatureSvmOptions(task="one", **wrong)


def test_a_store_of_other_options_is_an_error_before_it_is_read(stores):
    inputs = {"store_net": stores[0]["net"].folder, "options_net": NETWORK}
    assert set(inputs) == set(feature_inputs(["net"]))
    assert open_stores(["net"], inputs)[0].length == 96
    # As Kedro gives them where the run has no node of extraction.
    assert open_stores(["net"], inputs | {"options_net": NETWORK.model_dump(mode="json")})[0].length == 96
    inputs["options_net"] = NETWORK.model_copy(update={"image_size": 64})
    with pytest.raises(FeatureError, match=r"computed with options = .*'image_size': 32.* Run kedro run"):
        open_stores(["net"], inputs)


@given(st.integers(2, 30), st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 2**16))
def test_equal_blocks_have_the_same_share_of_the_same_variance(n, blocks, seed):
    features = np.random.default_rng(seed).normal(3, 7, (n, sum(blocks))).astype(np.float32)
    scaled = Scale.fit(features).weight_blocks(blocks).transform(features)
    total = scaled.var(axis=0)
    shares = [part.sum() for part in np.split(total, np.cumsum(blocks)[:-1])]
    np.testing.assert_allclose(shares, sum(blocks) / len(blocks), rtol=1e-6)


def test_a_model_weights_its_blocks_as_it_is_told(work):
    models, features = work
    equal = OPTIONS.model_copy(update={"block_weights": "equal"})
    model = train_feature_svm(features.of(LEARNT), LABELS[:20], equal, models["rbf"].extractors, 30)
    ratio = model.scale.deviation / models["rbf"].scale.deviation
    assert features.blocks == (96, 9)
    np.testing.assert_allclose(ratio, np.repeat(np.sqrt([96 * 2 / 105, 9 * 2 / 105]), [96, 9]))


def test_missing_weights_are_an_error_when_they_are_needed(work, tmp_path):
    work[0]["rbf"].save(tmp_path)
    shutil.rmtree(tmp_path / "features" / "net" / "weights")
    with pytest.raises(FeatureError, match="weights of mobilenet_v2 are missing"):
        load_classifier(tmp_path).probabilities([paint(1)])
