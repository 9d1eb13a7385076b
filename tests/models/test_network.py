import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.errors import ModelError
from art_pipeline.features.networks.inference import features_of
from art_pipeline.images.standardize import decode_rgb, standardize
from art_pipeline.models.classifier import read_details
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.networks.network import Network, build
from art_pipeline.models.networks.training_options import TrainingOptions
from art_pipeline.models.pyfunc import ImageClassifier, _load_pyfunc
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.training.class_weights import class_weights
from art_pipeline.models.training.images import Examples, decode, decode_all
from art_pipeline.models.training.train import TrainingData, _batches, train_network

pytestmark = [
    pytest.mark.usefixtures("keras"),
    pytest.mark.filterwarnings("ignore:Skipping nested container"),  # and an error follows
]
CLASSES = ("blau", "grün", "rot")
TRAINING = {"epochs": 3, "batch_size": 5, "adam": {"learning_rate": 0.01}, "seed": 2}
FILES = {"model.json", "history.csv", "base.weights.h5", "head.weights.h5"}
SCRIPT = """
import sys
from pathlib import Path
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
prepare_keras(ComputeOptions())
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.training.images import Examples
from art_pipeline.models.training.train import TrainingData, train_network
folder, *paths = map(Path, sys.argv[1:])
labels = ["b", "a", "b", "a", "a", "b"]
parts = [Examples(tuple(map(str, range(n))), tuple(labels[:n]), tuple(paths[:n])) for n in (6, 2)]
data = TrainingData(parts[0], Examples(), parts[1], 30)
options = AlexNetOptions(task="department", image_size=67, units=2, training={"epochs": 1, "batch_size": 4})
train_network(data, options, 10, folder, "one").save(folder)
"""


@pytest.fixture(scope="module")
def data(coloured):
    """Twelve training images of three classes, three copies of a class, and six to validate with."""
    originals, validation, copies = coloured(4), coloured(2, seed=1, first=13), coloured(1, seed=2, first=19)
    generated = Examples(("1_1", "1_2", "4_1"), ("grün",) * 3, copies.paths)
    return TrainingData(originals, generated, validation, 30)


@pytest.fixture(scope="module")
def options(tiny):
    return tiny(dropout=0.3, training=TRAINING)


@pytest.fixture(scope="module")
def work(data, options, tmp_path_factory):
    """A network that learnt as a whole, and the folder in which it is stored."""
    folder = tmp_path_factory.mktemp("network")
    network = train_network(data, options, 1, folder, "one")
    network.save(folder)
    return network, folder


@pytest.fixture(scope="module")
def images():
    """New ones, as the pipelines read them, before they are stretched."""
    rng = np.random.default_rng(9)
    return [rng.integers(0, 256, (*rng.integers(5, 40, 2), 3), np.uint8) for _ in range(7)]


def content(folder):
    return {file.name: hashlib.md5(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def test_training_images_are_augmented_at_random_in_each_epoch_and_validation_images_are_not(data, tiny):
    options = tiny(random_augmentation={"horizontal_flip": False}, training=TRAINING | {"batch_size": 100})
    training, validation = _batches(data, options, CLASSES, 1)
    sides = options.sides
    as_they_are = {
        side: np.stack([decode(one, sides) for one in side.paths]) for side in (data.training, data.validation)
    }
    np.testing.assert_array_equal(validation[0][0], as_they_are[data.validation])
    epochs = []
    for epoch in (0, 1):
        training.start_with(epoch)
        order = np.random.default_rng([TRAINING["seed"], epoch]).permutation(len(data.training))
        epochs.append(training[0][0][np.argsort(order)])
    for one in (0, 1):
        assert (np.abs(epochs[one] - as_they_are[data.training]).max(axis=(1, 2, 3)) > 1).all()
    assert (np.abs(epochs[0] - epochs[1]).max(axis=(1, 2, 3)) > 1).all()


def test_a_stored_network_gives_the_same_probabilities(work, images, options):
    network, folder = work
    loaded = load_classifier(folder)
    assert isinstance(loaded, Network)
    assert (loaded.classes, loaded.max_side, loaded.options) == (CLASSES, 30, options)
    assert type(loaded.options) is type(options)
    found = network.probabilities(images)
    assert (found.dtype, found.shape) == (np.float64, (7, 3))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(loaded.probabilities(images), found)
    assert loaded.training == network.training


def test_a_stored_history_comes_back_as_it_was(work, tmp_path):
    table = pd.DataFrame(np.random.default_rng(0).uniform(0, 9, (40, 13)), columns=work[0].history.columns)
    table["epoch"] = np.arange(1, 41)
    replace(work[0], history=table).save(tmp_path)
    pd.testing.assert_frame_equal(Network.load(tmp_path).history, table, check_exact=True)


def test_an_image_gets_the_same_probabilities_alone_and_among_others(work, images):
    together = work[0].probabilities(images)
    for one, expected in zip(images, together, strict=True):
        np.testing.assert_array_equal(work[0].probabilities([one])[0], expected)
    assert work[0].probabilities([]).shape == (0, 3)


def test_an_image_that_is_stretched_already_is_taken_as_it_is(work, data):
    files = [decode(path, (12, 12)) for path in data.validation.paths]
    np.testing.assert_array_equal(
        work[0].probabilities(files), work[0].probabilities(decode_all(data.validation.paths, (12, 12)))
    )


def test_a_folder_holds_text_and_numbers_and_nothing_of_the_training(work):
    assert {file.name for file in work[1].iterdir()} == FILES
    assert "grün" in (work[1] / "model.json").read_text(encoding="utf-8")


def test_the_details_tell_what_training_met(work):
    network, folder = work
    told = read_details(folder)
    assert told["trained_on"] == {"original": 12, "generated": 3}
    assert told["validated_on"] == 6
    assert told["epochs"] == 3
    best = network.history["val_loss"].idxmin()
    assert (told["best_epoch"], told["best_validation_loss"]) == (best + 1, network.history["val_loss"][best])
    whole = network.base.count_params() + network.head.count_params()
    assert told["parameters"] == whole
    moving = 2 * (6 + 8)  # means and variances, which are not learnt
    assert told["trained_parameters"] == whole - moving
    assert told["kind"] == "tiny"
    assert TrainingOptions.model_validate(told["training"]) == network.options.training


def test_a_network_starts_as_another_was_stored(data, tiny, work, tmp_path):
    """With steps too small to tell, it judges as the other does."""
    still = TRAINING | {"epochs": 1, "adam": {"learning_rate": 1e-9}}
    options = tiny(start_from="other", trainable_layers="all", keep_batch_norm=True, dropout=0.3, training=still)
    tuned = train_network(replace(data, start=work[1]), options, 1, tmp_path, "one")
    for one, other in zip(tuned.base.get_weights(), work[0].base.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    images = list(decode_all(data.validation.paths, options.sides))
    expected = load_classifier(work[1]).probabilities(images)
    np.testing.assert_allclose(tuned.probabilities(images), expected, atol=1e-4)


def test_tuning_changes_layers_and_keeps_what_batch_normalisation_has(data, tiny, work, tmp_path):
    options = tiny(start_from="other", keep_batch_norm=True, training=TRAINING)
    tuned = train_network(replace(data, start=work[1]), options, 1, tmp_path, "one")
    before = {weight.path: np.array(weight) for weight in work[0].base.weights}
    after = {weight.path: np.array(weight) for weight in tuned.base.weights}
    changed = {path for path, value in after.items() if not np.array_equal(value, before[path])}
    normalising = {path for path in after if path.split("/")[-1] in {"gamma", "beta", "moving_mean", "moving_variance"}}
    assert changed and normalising
    assert not changed & normalising


def test_a_network_does_not_start_as_one_of_other_classes_or_layers(data, tiny, work, tmp_path):
    two = replace(data, start=work[1], originals=_without(data.originals))
    two = replace(two, generated=Examples(), validation=_without(data.validation))
    options = tiny(start_from="other", training=TRAINING)
    with pytest.raises(ModelError, match="cannot start from one with other classes: "):
        train_network(two, options, 1, tmp_path, "one")
    alexnet = AlexNetOptions(task="colours", image_size=67, units=2, training=TRAINING)
    with pytest.raises(ModelError, match="the same kind and layers"):
        train_network(replace(data, start=work[1]), alexnet, 1, tmp_path, "two")


def _without(examples):
    """The examples of two of the classes."""
    left_out = examples.labels[0]
    kept = [place for place, label in enumerate(examples.labels) if label != left_out]
    return Examples(*(tuple(column[place] for place in kept) for column in vars(examples).values()))


def test_mlflow_judges_files_as_the_pipelines_judge_decoded_images(work, data, tmp_path):
    bodies = [standardize(path.read_bytes(), 30) for path in data.validation.paths]
    files = [tmp_path / f"{number}.jpg" for number in range(len(bodies))]
    for file, body in zip(files, bodies, strict=True):
        file.write_bytes(body)
    expected = work[0].probabilities(decode_all(files, (12, 12)))
    found = _load_pyfunc(str(work[1])).predict(pd.DataFrame({"image": bodies}))
    np.testing.assert_array_equal(found[[f"p:{name}" for name in CLASSES]], expected)
    assert found["label"].tolist() == [CLASSES[one] for one in expected.argmax(axis=1)]
    sent = [path.read_bytes() for path in data.validation.paths]
    of_sent = work[0].probabilities([decode_rgb(body, 30) for body in sent])
    again = ImageClassifier(work[0]).predict(pd.DataFrame({"image": sent}))
    np.testing.assert_array_equal(again[[f"p:{name}" for name in CLASSES]], of_sent)


@pytest.fixture(scope="module")
def again(training, data, options, tmp_path_factory):
    """The folder of the same training with less memory, interrupted, in a process that has made other networks."""

    def stop(self, epoch, logs=None):  # noqa: ARG001 - Keras'
        if epoch == 2:
            raise KeyboardInterrupt

    folder = tmp_path_factory.mktemp("again")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training._Epochs, "on_epoch_begin", stop)
        train_network(data, options, 0.005, folder, "one")
    assert [file.name for file in folder.iterdir()] == ["checkpoint"]
    options.build_base()
    train_network(data, options, 0.005, folder, "one").save(folder)
    return folder


def test_neither_an_interruption_nor_memory_changes_what_is_learnt(work, again):
    stored = load_classifier(again)
    for name in ("base", "head"):
        for one, other in zip(getattr(work[0], name).get_weights(), getattr(stored, name).get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_same_training_in_a_process_writes_the_same_bytes(work, again, name):
    assert (again / name).read_bytes() == (work[1] / name).read_bytes()


def test_the_same_training_in_two_processes_writes_the_same_bytes(data, tmp_path, monkeypatch):
    folders = [tmp_path / name for name in ("there", "here")]
    for folder in folders:
        folder.mkdir()
    paths = [str(path) for path in data.originals.paths[:6]]
    there = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folders[0]), *paths],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    monkeypatch.setattr(sys, "argv", ["-c", str(folders[1]), *paths])
    exec(SCRIPT, {})
    told = there.communicate(timeout=300)[1]
    assert there.returncode == 0, told
    assert content(folders[0]) == content(folders[1])
    assert content(folders[0]).keys() == FILES


def test_a_class_without_validation_images_is_named(data, options, tmp_path):
    few = Examples(*(part[:2] for part in vars(data.validation).values()))
    assert set(few.labels) == {"grün", "rot"}
    told = r"^The class 'blau' has no validation image, which early stopping needs\. Raise"
    with pytest.raises(ModelError, match=told):
        train_network(replace(data, validation=few), options, 1, tmp_path, "one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["multiclass", "multilabel"])
def test_no_validation_images_are_an_error(data, options, tmp_path, kind):
    with pytest.raises(ModelError, match=r"no validation image.*split\.validation"):
        train_network(replace(data, validation=Examples(), kind=kind), options, 1, tmp_path, "one")


def test_a_network_may_learn_from_validation_images_too(data, tiny, tmp_path):
    training = TRAINING | {"calibrate": False, "patience": 1}
    options = tiny(train_on=["train", "validation"], training=training)
    everything = replace(data, originals=data.originals + data.validation, validation=Examples())
    network = train_network(everything, options, 1, tmp_path, "one")
    told = read_details(tmp_path)
    assert (told["trained_on"], told["validated_on"]) == ({"original": 18, "generated": 3}, 0)
    assert (told["epochs"], told["best_epoch"], told["best_validation_loss"], told["temperature"]) == (3, 3, None, 1)
    loaded = load_classifier(tmp_path)
    assert loaded.options == options
    pd.testing.assert_frame_equal(loaded.history, network.history, check_exact=True)
    assert network.history.filter(like="val_").isna().all(axis=None)


@pytest.mark.parametrize(
    ("train_on", "told"),
    [
        (["train", "validation"], "no images left for calibration: set training.calibrate to false"),
        (["validation"], r"set train_on to \[train\] or to \[train, validation\]"),
        ([], "trains on the training split"),
    ],
)
def test_splits_that_a_network_cannot_learn_from_are_refused(tiny, train_on, told):
    with pytest.raises(ValueError, match=told):
        tiny(train_on=train_on, training=TRAINING)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_balanced_classes_weigh_alike_and_an_image_one_on_average(counts):
    targets = np.repeat(np.arange(len(counts)), counts)
    weights = class_weights(targets, "balanced")
    np.testing.assert_allclose(weights * counts, len(targets) / len(counts), rtol=1e-6)
    assert weights[targets].mean() == pytest.approx(1)
    assert weights.dtype == np.float32


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_by_the_root_a_class_weighs_half_way_between(counts):
    targets = np.repeat(np.arange(len(counts)), counts)
    weights = class_weights(targets, "square_root")
    balanced = class_weights(targets, "balanced")
    np.testing.assert_allclose((weights / weights[0]) ** 2, balanced / balanced[0], rtol=1e-5)
    assert weights[targets].mean() == pytest.approx(1)


ROOT = 15 / (2 * 4**0.5 + 7**0.5)


@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [
        ("balanced", [15 / 12, 15 / 21, 15 / 12]),
        ("square_root", [ROOT / 4**0.5, ROOT / 7**0.5, ROOT / 4**0.5]),
        (None, None),
    ],
)
def test_classes_are_weighed_in_training_alone(data, tiny, monkeypatch, tmp_path, class_weight, expected):
    from art_pipeline.models.training import loop as training

    seen = []

    def note(_model, learning, judging, *_, costs):
        assert costs is None
        seen.extend(None if len(one[0]) == 2 else one for one in (learning, judging))
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", note)
    options = tiny(training=TRAINING | {"class_weight": class_weight})
    with pytest.raises(KeyboardInterrupt):
        train_network(data, options, 1, tmp_path, "one")
    assert seen[1] is None  # never in validation
    if expected is None:
        assert seen[0] is None
    else:
        _, targets, weights = (np.concatenate(part) for part in zip(*(seen[0][n] for n in range(3)), strict=True))
        np.testing.assert_allclose(weights, np.array(expected)[targets.argmax(axis=1)], rtol=1e-6)


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("damage", ["gone", "cut off", "of another"])
def test_a_damaged_folder_is_told(work, tmp_path, name, damage):
    for file in work[1].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    file = tmp_path / name
    match damage:
        case "gone":
            file.unlink()
        case "cut off":
            file.write_bytes(file.read_bytes()[: min(700, file.stat().st_size // 2)] if name != "history.csv" else b"")
        case "of another":
            file.write_bytes(
                (work[1] / ("base" if name.startswith("head") else "head")).with_suffix(".weights.h5").read_bytes()
            )
    with pytest.raises(ModelError, match=r"holds no model|is damaged"):
        load_classifier(tmp_path)


def test_features_are_as_wide_as_the_base_says(tiny):
    base, head = build(tiny(), 4)
    assert features_of(base, np.zeros((3, 12, 12, 3), np.uint8)).shape == (3, 8)
    assert (head.input_shape, head.output_shape) == ((None, 8), (None, 4))


def test_a_card_can_be_read_without_keras(work):
    card = json.loads((work[1] / "model.json").read_text(encoding="utf-8"))
    assert (card["kind"], card["classes"], card["max_side"]) == ("tiny", list(CLASSES), 30)
