"""A machine on the features of a small frozen network, whose weights are random."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from art_pipeline.errors import ModelError
from art_pipeline.images.standardize import stretch
from art_pipeline.models.classifier import read_details
from art_pipeline.models.networks.inference import features_of
from art_pipeline.models.networks.mobilenet_v2 import MobileNetV2Options
from art_pipeline.models.networks.network import Network, build
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.svm.feature_svm import FeatureSvm, FeatureSvmOptions, Scale, train_feature_svm

NETWORK = MobileNetV2Options(image_size=32, trainable_layers=0, feature_layers=("block_1_expand_relu",))
OPTIONS = FeatureSvmOptions(features_of="net", svm={"C": [1, 10], "folds": 3})


def images(n, seed):
    """Red and blue ones, by turns, of different shapes."""
    random = np.random.default_rng(seed)
    for number in range(n):
        pixels = random.integers(0, 150, (20 + number % 3, 30, 3), np.uint8)
        pixels[..., 2 * (number % 2)] += 100
        yield pixels


LABELS = ["red", "blue"] * 10


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A trained machine, and the features that it learnt from."""
    folder = tmp_path_factory.mktemp("network")
    base, head = build(NETWORK, classes=2)
    Network(("a", "b"), 30, NETWORK, base, head, {"temperature": 1.0}, pd.DataFrame({"epoch": [1]})).save(folder)
    features = features_of(base, (stretch(one, 32) for one in images(20, seed=1)))
    return train_feature_svm(features, LABELS, OPTIONS, folder, 30), features


def test_new_images_are_classified_correctly(work):
    model, _ = work
    said = model.probabilities(images(8, seed=2))
    assert model.classes == ("blue", "red")
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert [model.classes[one] for one in said.argmax(axis=1)] == LABELS[:8]


def test_decision_values_equal_scikit_learns_on_standardized_features(work):
    model, features = work
    scaler = StandardScaler().fit(features.astype(float))
    C, gamma = model.training["best"]["C"], 1 / features.shape[1]
    for number, name in enumerate(model.classes):
        peer = SVC(C=C, gamma=gamma).fit(scaler.transform(features.astype(float)), np.array(LABELS) == name)
        expected = peer.decision_function(scaler.transform(features.astype(float)))
        np.testing.assert_allclose(
            model.svm.decision_function(model.scale.transform(features))[:, number], expected, atol=2e-3
        )


def test_what_is_not_said_of_the_grid_stays_as_it_is_for_such_features():
    assert (OPTIONS.svm.C, OPTIONS.svm.gamma) == ((1, 10), ("auto",))
    assert FeatureSvmOptions(features_of="net", svm={"folds": 2}).svm.C == (1, 3, 10, 30)


def test_features_are_classified_without_loading_the_network(work, tmp_path):
    model, features = work
    model.save(tmp_path)
    (tmp_path / "network" / "base.weights.h5").unlink()
    found = load_classifier(tmp_path)
    assert found.probabilities_from_features(features).shape == (20, 2)


def test_a_loaded_model_predicts_the_same_from_images_and_features(work, tmp_path):
    model, features = work
    model.save(tmp_path)
    expected = model.probabilities(images(20, seed=1))
    found = load_classifier(tmp_path)
    assert isinstance(found, FeatureSvm)
    assert (found.classes, found.max_side, found.options) == (model.classes, 30, OPTIONS)
    assert found.probabilities(images(20, seed=1)).tolist() == expected.tolist()
    np.testing.assert_allclose(found.probabilities_from_features(features), expected, rtol=1e-9)
    assert read_details(tmp_path)["features_of"] == "net"
    assert read_details(tmp_path)["trained_on"] == {"original": 20, "generated": 0}


def test_the_same_bytes_come_again(work, tmp_path):
    model, features = work
    folders = [tmp_path / "one", tmp_path / "two"]
    again = train_feature_svm(features, LABELS, OPTIONS, model.folder, 30)
    for folder, one in zip(folders, (model, again), strict=True):
        folder.mkdir()
        one.save(folder)
    first, second = ({f.relative_to(d): f.read_bytes() for f in d.rglob("*.*")} for d in folders)
    assert first == second
    assert {one.parts[0] for one in first} == {"model.json", "network", "scale", "svm"}


def test_a_damaged_model_says_so(work, tmp_path):
    work[0].save(tmp_path)
    (tmp_path / "scale" / "mean.npy").unlink()
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
    model, features = work
    with pytest.raises(ModelError, match=why):
        train_feature_svm(features, labels, OPTIONS, model.folder, 30)
