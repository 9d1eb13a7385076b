"""A head on stored features, against the same head behind a base that is not trained."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from art_pipeline.errors import ModelError
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.store import GlobalFeatures
from art_pipeline.models.classifier import read_details
from art_pipeline.models.features import StoredExtractors
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.networks.network import build
from art_pipeline.models.networks.trained_head import TrainedHead
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.training.features import ExampleFeatures
from art_pipeline.models.training.images import decode_all
from art_pipeline.models.training.train import TrainingData, train_head, train_network

pytestmark = [pytest.mark.usefixtures("keras"), pytest.mark.filterwarnings("ignore:Skipping nested container")]
TRAINING = {"epochs": 3, "batch_size": 5, "adam": {"learning_rate": 0.01}, "seed": 2}
OPTIONS = HeadOptions(task="colours", features=["tiny"], dropout=0.3, training=TRAINING)


@pytest.fixture(scope="module")
def images(coloured):
    """Twelve training images of three classes, three augmented ones, and six to validate with."""
    originals, validation, copies = coloured(4), coloured(2, seed=1, first=13), coloured(1, seed=2, first=19)
    generated = replace(copies, names=("1_1", "1_2", "4_1"), labels=("grün",) * 3)
    return TrainingData(originals, generated, validation, 30)


@pytest.fixture(scope="module")
def work(images, frozen_tiny, stored, tmp_path_factory):
    """A function that stores features, and trains a head on them."""

    def run(options=OPTIONS, **extractor):
        frozen, root = frozen_tiny(seed=2, **extractor), tmp_path_factory.mktemp("head")
        both = images.originals + images.validation
        store = stored(root / "tiny", frozen, both.paths, both.names)
        augmented = stored(root / "augmented", frozen, images.generated.paths)
        features = ExampleFeatures(GlobalFeatures([store]), GlobalFeatures([augmented]), images.generated.names)
        data = replace(images, features=features)
        folder = root / "model"
        folder.mkdir()
        return train_head(data, options, StoredExtractors.of({"tiny": store}), folder, "one"), data, folder

    return run


@pytest.fixture(scope="module")
def trained(work):
    return work()


def test_a_head_on_stored_features_is_that_behind_a_frozen_base(trained, images, tiny, tmp_path):
    head, _, _ = trained
    frozen = tiny(dropout=0.3, training=TRAINING).model_copy(update={"trainable_layers": 0})
    through = train_network(images, frozen, 1, tmp_path / "network", "one")
    for one, other in zip(head.head.get_weights(), through.head.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    assert not np.allclose(head.head.get_weights()[0], build(frozen, 3)[1].get_weights()[0], atol=1e-3)
    pd.testing.assert_frame_equal(head.history, through.history, rtol=1e-3, atol=1e-5)
    assert head.training["trained_parameters"] == through.head.count_params()


def test_a_stored_head_predicts_from_features_and_from_images(trained, images):
    head, data, folder = trained
    found = load_classifier(folder)
    assert isinstance(found, TrainedHead)
    assert (found.classes, found.max_side, found.options) == (("blau", "grün", "rot"), 30, OPTIONS)
    names = images.validation.names[::-1]
    probabilities = found.probabilities_from_features(data.features.of(names))
    assert probabilities.dtype == np.float64
    np.testing.assert_array_equal(probabilities, head.probabilities_from_features(data.features.of(names)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    pixels = decode_all(images.validation.paths[::-1], (12, 12))
    np.testing.assert_allclose(found.probabilities(pixels), probabilities, atol=1e-5, rtol=0)
    assert np.ptp(probabilities, axis=0).max() > 1e-3
    assert found.probabilities([]).shape == (0, 3)
    assert read_details(folder)["trained_on"] == {"original": 12, "generated": 3}


def test_the_same_training_writes_the_same_bytes(trained, work):
    contents = []
    for _, _, folder in (trained, work()):
        files = [file for file in folder.rglob("*") if file.is_file()]
        contents.append({file.relative_to(folder).as_posix(): file.read_bytes() for file in files})
    assert contents[0] == contents[1]
    assert contents[0].keys() == {
        "model.json",
        "history.csv",
        "head.weights.h5",
        *(f"features/tiny/{name}" for name in ("extractor.json", "weights/base.weights.h5", "weights/source.json")),
    }


def test_standardised_features_have_the_mean_and_variance_of_the_training_images(work, images):
    options = OPTIONS.model_copy(update={"standardise": True})
    head, data, _ = work(options=options)
    standard = np.asarray(head.head.layers[0](data.features.of(images.training.names)))
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(standard.std(axis=0), 1, atol=1e-3)


STILL = TRAINING | {"epochs": 1, "adam": {"learning_rate": 1e-9}}


def test_a_network_starts_from_a_head_on_its_features(work, images, tiny, tmp_path):
    """With steps too small to tell, it predicts as the head does."""
    shape = {"standardise": True, "hidden_units": 5}
    numbered = "batch_normalization"  # Keras' own name, of which there is only one in a new process
    head, data, folder = work(options=OPTIONS.model_copy(update=shape), layers=["late", numbered])
    assert data.features.length == 8 + 6
    options = tiny(
        start_from="head", feature_layers=["late", numbered], **shape, keep_batch_norm=True, dropout=0.3, training=STILL
    )
    assert options.references()[0].find_problem(head.options) is None
    tuned = train_network(replace(images, start=folder), options, 1, tmp_path / "tuned", "one")
    pixels = list(decode_all(images.validation.paths, (12, 12)))
    np.testing.assert_allclose(tuned.probabilities(pixels), head.probabilities(pixels), atol=1e-4)


def test_a_network_does_not_start_from_a_head_on_other_layers_or_of_another_shape(work, images, tiny, tmp_path):
    _, _, folder = work(layers=["late"])
    options = tiny(start_from="head", training=STILL)
    with pytest.raises(
        ModelError,
        match=r"head are tiny with the layers \['late'\], pooling average, its own tiny with the layers \[\]",
    ):
        train_network(replace(images, start=folder), options, 1, tmp_path / "tuned", "one")
    problems = [
        options.references()[0].find_problem(OPTIONS.model_copy(update=changed))
        for changed in ({"hidden_units": 2}, {"features": ("a", "b")})
    ]
    assert problems == [
        "its hidden_units differs; set both to the same value",
        "it reads more features than those of one network",
    ]


def test_a_frozen_network_names_the_head(tiny):
    with pytest.raises(ValidationError, match=r"block of features:, and name them in a model of kind: head"):
        tiny(trainable_layers=0)
    assert "any number of rows" in OPTIONS.find_feature_problem({"tiny": SiftOptions()})


@pytest.mark.parametrize(("standardise", "hidden", "dropout"), [(False, 0, 0.0), (True, 0, 0.25), (True, 7, 0.5)])
def test_the_head_is_one_layer_behind_what_was_asked_for(standardise, hidden, dropout):
    options = OPTIONS.model_copy(update={"standardise": standardise, "hidden_units": hidden, "dropout": dropout})
    head = options.build_head(5, 3)
    names = [type(layer).__name__ for layer in head.layers]
    between = ["Dropout", "Dense"] if hidden else []
    assert names == [*(["Normalization"] if standardise else []), *between, "Dropout", "Dense"]
    assert {layer.rate for layer in head.layers if hasattr(layer, "rate")} == {dropout}
    assert (head.input_shape, head.output_shape) == ((None, 5), (None, 3))
    if hidden:
        assert head.layers[-3].get_config()["units"] == hidden
        assert head.layers[-3].get_config()["activation"] == "relu"
