"""Networks of several labels per image, and networks that start from one of another task."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import log_loss

from art_pipeline.errors import ModelError
from art_pipeline.evaluation.label_thresholds import choose_thresholds
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.networks.network import Network, build
from art_pipeline.models.networks.temperature import fit_temperature, temper
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.targets import make_targets
from art_pipeline.models.training.class_weights import class_weights
from art_pipeline.models.training.images import Examples, decode_all
from art_pipeline.models.training.train import TrainingData, _batches, check_kind, train_network

pytestmark = pytest.mark.usefixtures("keras")
CLASSES = ("grün", "rot")
TRAINING = {"epochs": 2, "batch_size": 5, "adam": {"learning_rate": 0.01}, "seed": 2}
LABELS = {"rot": "rot", "grün": "grün|rot", "blau": ""}


def with_labels(examples):
    return Examples(examples.names, tuple(LABELS[label] for label in examples.labels), examples.paths)


@pytest.fixture(scope="module")
def data(coloured):
    originals, validation = with_labels(coloured(4)), with_labels(coloured(2, seed=1, first=13))
    return TrainingData(originals, Examples(), validation, 30, kind="multilabel")


@pytest.fixture(scope="module", params=["cross_entropy", "asymmetric"])
def work(request, data, tiny, tmp_path_factory):
    options = tiny(training=TRAINING | {"loss": request.param, "class_weight": "balanced", "label_smoothing": 0.1})
    folder = tmp_path_factory.mktemp("network")
    return train_network(data, options, 1, folder, "one"), folder


def test_a_network_has_a_sigmoid_per_label_and_thresholds_chosen_on_validation(work, data):
    network, folder = work
    assert network.classes == CLASSES
    images = list(decode_all(data.validation.paths, network.options.sides))
    probabilities = network.probabilities(images)
    assert np.ptp(probabilities.sum(axis=1)) > 1e-3
    true = make_targets(data.validation.labels, CLASSES, "multilabel")
    expected = choose_thresholds(true, probabilities, CLASSES)
    np.testing.assert_allclose(network.thresholds.values, expected.values, atol=0.02)
    loaded = load_classifier(folder)
    np.testing.assert_array_equal(loaded.probabilities(images), probabilities)
    np.testing.assert_array_equal(loaded.thresholds.values, network.thresholds.values)
    assert json.loads((folder / "model.json").read_text())["thresholds"]["values"].keys() == set(CLASSES)


def test_the_history_has_what_a_multilabel_network_measures(work):
    history = work[0].history
    assert history["top_5_accuracy"].isna().all()
    assert history.drop(columns=["top_5_accuracy", "val_top_5_accuracy"]).notna().all(axis=None)


def test_labels_that_can_be_learnt_are_learnt(data, tiny, tmp_path):
    options = tiny(training=TRAINING | {"epochs": 30, "patience": 30, "adam": {"learning_rate": 0.03}})
    network = train_network(data, options, 1, tmp_path, "one")
    images = decode_all(data.training.paths, options.sides)
    predicted = network.thresholds.apply(network.probabilities(images), CLASSES)
    assert (predicted == make_targets(data.training.labels, CLASSES, "multilabel")).mean() > 0.8


def test_a_label_without_validation_images_has_the_threshold_of_all(data, tiny, tmp_path):
    validation = replace(data.validation, labels=tuple("rot" if one else "" for one in data.validation.labels))
    network = train_network(replace(data, validation=validation), tiny(training=TRAINING), 1, tmp_path, "one")
    assert network.classes == CLASSES
    images = decode_all(validation.paths, (12, 12))
    probabilities, true = network.probabilities(images), make_targets(validation.labels, CLASSES, "multilabel")
    alone = choose_thresholds(true, probabilities, CLASSES)
    assert network.thresholds.values[0] == pytest.approx(alone.values[0], abs=0.02)


def test_batches_have_flags_and_a_weight_for_each_pair(data, tiny):
    options = tiny(training=TRAINING | {"class_weight": "balanced"})
    batches, validation = _batches(data, options, CLASSES, 1)
    flags = make_targets(data.training.labels, CLASSES, "multilabel")
    counts = np.stack([(~flags).sum(axis=0), flags.sum(axis=0)])
    total = np.zeros(2)
    for number in range(len(batches)):
        _, targets, weights = batches[number]
        assert targets.dtype == np.float32
        np.testing.assert_allclose(weights, np.where(targets, len(flags) / counts[1] / 2, len(flags) / counts[0] / 2))
        total += weights.sum(axis=0)
    np.testing.assert_allclose(total, len(flags), rtol=1e-6)
    assert len(validation[0]) == 2


@given(st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=1, max_size=20))
def test_weights_of_labels_have_mean_one_and_are_finite(rows):
    flags = np.array(rows)
    for how in ("balanced", "square_root"):
        weights = class_weights(flags, how)
        assert weights.shape == (2, 2)
        given_weights = np.where(flags, weights[1], weights[0])
        np.testing.assert_allclose(given_weights.mean(axis=0), 1, rtol=1e-4)


def test_options_that_do_not_suit_the_kind_are_an_error(tiny):
    with pytest.raises(ModelError, match=r"task is multiclass: training\.loss cannot be asymmetric"):
        check_kind(tiny(training={"loss": "asymmetric"}), "multiclass")
    with pytest.raises(ModelError, match=r"set train_on to \[train\]"):
        check_kind(tiny(train_on=["train", "validation"], training={"calibrate": False}), "multilabel")


def test_every_head_has_the_outputs_that_are_asked_for(tiny):
    for options in (tiny(), AlexNetOptions(task="colours", image_size=67, units=2)):
        for multilabel, name in ((False, "softmax"), (True, "sigmoid")):
            assert build(options, 3, multilabel)[1].layers[-1].activation.__name__ == name


def test_the_temperature_of_labels_lowers_their_log_loss():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (400, 3))
    targets = rng.random((400, 3)) < expit(logits)
    overconfident = expit(3 * logits).astype(np.float32)
    temperature = fit_temperature(overconfident, targets)
    assert temperature == pytest.approx(3, rel=0.15)
    found = temper(overconfident, temperature, multilabel=True)
    assert log_loss(targets.ravel(), found.ravel()) < log_loss(targets.ravel(), overconfident.ravel())
    np.testing.assert_allclose(temper(overconfident, 1.0, multilabel=True), overconfident, atol=1e-6)


@given(st.floats(0.05, 20))
def test_certain_labels_stay_finite_and_in_order(temperature):
    values = temper(np.array([[0.0, 0.3, 0.6, 1.0]], np.float32), temperature, multilabel=True)[0]
    assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(values) >= 0).all()


@pytest.fixture(scope="module")
def of_other_task(coloured, tiny, tmp_path_factory):
    """A stored network of a task with one class per image, which standardises its features."""
    folder = tmp_path_factory.mktemp("other")
    parts = coloured(4), Examples(), coloured(2, seed=1, first=13)
    options = tiny(task="names", start_from="head", standardise=True, hidden_units=3, training=TRAINING)
    base, head = build(options, 3)
    head.layers[0].adapt(np.random.default_rng(0).normal(3, 2, (50, 8)).astype(np.float32))
    network = train_network(TrainingData(*parts, 30), tiny(task="names", training=TRAINING), 1, folder, "one")
    Network(network.classes, 30, options, base, head, {"temperature": 1.0}, network.history).save(folder)
    return folder, base, head


def test_a_network_takes_the_base_of_another_task_and_a_new_head(data, tiny, of_other_task, tmp_path):
    folder, base, head = of_other_task
    still = TRAINING | {"epochs": 1, "adam": {"learning_rate": 1e-9}}
    options = tiny(start_from="other", standardise=True, keep_batch_norm=True, training=still)
    network = train_network(replace(data, start=folder), options, 1, tmp_path, "one")
    for one, other in zip(network.base.get_weights(), base.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    for one, other in zip(network.head.layers[0].get_weights(), head.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    features = np.full((1, 8), 3, np.float32)
    np.testing.assert_allclose(network.head.layers[0](features), head.layers[0](features), atol=1e-6)
    assert network.classes == CLASSES
    new = build(options, 2, multilabel=True)[1]
    np.testing.assert_allclose(network.head.layers[-1].kernel, new.layers[-1].kernel, atol=1e-6)


def test_a_network_of_another_task_fits_whatever_its_head_and_its_validation(tiny):
    options = tiny(start_from="other", training={"calibrate": True})
    (reference,) = options.references()
    other = {"hidden_units": 7, "train_on": ["train", "validation"], "training": {"calibrate": False}}
    assert reference.find_problem(tiny(task="names", **other)) is None
    assert "hidden_units differs" in reference.find_problem(tiny(**other))
    assert "standardise differs" in reference.find_problem(tiny(task="names", start_from="x", standardise=True))
    assert "not of kind tiny" in reference.find_problem(AlexNetOptions(task="names"))
