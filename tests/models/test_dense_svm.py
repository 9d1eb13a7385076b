"""A machine on dense descriptors, on small images of three kinds and two colours."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from art_pipeline.errors import ModelError
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.svm.dense_svm import (
    Codebooks,
    DenseSvmOptions,
    encode_files,
    fit_codebooks,
    train_dense_svm,
)

CLASSES = ("green waves", "red stripes", "red waves")
CHANNEL = {"cell_sizes": [3, 5], "step": 6, "components": 12, "words": 6}
OPTIONS = DenseSvmOptions(
    task="department", max_descriptors=6000, shape=CHANNEL, colour=CHANNEL, svm={"C": [1, 10], "folds": 3}
)
IDS = range(1, 46)


def truth(object_id):
    return CLASSES[object_id % 3]


def paint(object_id, side=64):
    rng = np.random.default_rng(object_id)
    y, x = np.mgrid[:side, :side] + rng.uniform(0, 20, 2)[:, None, None]
    period = rng.uniform(9, 14)
    stripes, waves = np.sign(np.sin(2 * np.pi * x / period)), np.sin(2 * np.pi * (x * x + y * y) / period**2 / 8)
    grey = 128 + (stripes if "stripes" in truth(object_id) else waves) * 60 + rng.normal(0, 10, (side, side))
    tint = (1.0, 0.5, 0.5) if "red" in truth(object_id) else (0.5, 1.0, 0.5)
    return np.clip(grey[:, :, None] * np.array(tint), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for object_id in IDS:
        Image.fromarray(paint(object_id)).save(image_path(folder, object_id), quality=95)
    return folder


def paths(images, object_ids):
    return [image_path(images, one) for one in object_ids]


def train(images, options=OPTIONS):
    learnt = list(IDS)[:30]
    codebooks = fit_codebooks(learnt, images, options)
    features = np.array(list(encode_files(paths(images, learnt), codebooks)))
    return train_dense_svm(features, [truth(one) for one in learnt], codebooks, 64)


@pytest.fixture(scope="module")
def model(images):
    return train(images)


def right(model, images):
    new = list(IDS)[30:]
    guessed = model.probabilities(read_rgb(path) for path in paths(images, new)).argmax(axis=1)
    return np.mean([model.classes[best] == truth(one) for best, one in zip(guessed, new, strict=True)])


def test_new_images_are_classified_correctly(model, images):
    assert right(model, images) > 0.9
    assert model.training["features_per_image"] == 2 * 6 * (2 * (12 + 2) + 1)


def without(channel):
    return OPTIONS.model_copy(update={channel: getattr(OPTIONS, channel).model_copy(update={"weight": 0.0})})


def test_each_channel_separates_its_classes(images):
    shape, colour = train(images, without("colour")), train(images, without("shape"))
    assert (set(shape.codebooks.books), set(colour.codebooks.books)) == ({"shape"}, {"colour"})
    new = list(IDS)[30:]
    for model, word in ((shape, "stripes"), (colour, "red")):
        guessed = model.probabilities(read_rgb(path) for path in paths(images, new)).argmax(axis=1)
        hits = [(word in model.classes[best]) == (word in truth(one)) for best, one in zip(guessed, new, strict=True)]
        assert np.mean(hits) > 0.9


def test_a_loaded_model_predicts_the_same(model, images, tmp_path):
    model.save(tmp_path)
    loaded = load_classifier(tmp_path)
    decoded = [read_rgb(path) for path in paths(images, [31, 32])]
    np.testing.assert_array_equal(loaded.probabilities(decoded), model.probabilities(decoded))
    assert (loaded.classes, loaded.max_side) == (CLASSES, 64)


def test_it_is_the_same_again(model, images, tmp_path):
    again = train(images)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    model.save(tmp_path / "one")
    again.save(tmp_path / "two")
    files = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*.*"))
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_predictions_do_not_depend_on_the_batch(model, images):
    decoded = [read_rgb(path) for path in paths(images, IDS)]
    together = model.probabilities(decoded)
    np.testing.assert_allclose(np.concatenate([model.probabilities([one]) for one in decoded]), together, atol=1e-5)


def test_a_blank_or_tiny_image_gets_an_answer(model):
    odd = [np.full((64, 64, 3), 255, np.uint8), np.zeros((3, 5, 3), np.uint8)]
    np.testing.assert_allclose(model.probabilities(odd).sum(axis=1), 1)


def test_a_channel_counts_as_its_weight_says(images):
    heavy = OPTIONS.model_copy(update={"shape": OPTIONS.shape.model_copy(update={"weight": 3.0, "regions": (1, 2)})})
    codebooks = fit_codebooks(list(IDS)[:10], images, heavy)
    vector = codebooks.encode(paint(5))
    shape = 5 * 6 * (2 * 14 + 1)
    assert np.linalg.norm(vector[:shape]) ** 2 == pytest.approx(0.75, rel=1e-4)
    assert np.linalg.norm(vector) == pytest.approx(1, rel=1e-4)


def test_codebooks_are_read_as_they_were_stored(model, tmp_path):
    model.codebooks.save(tmp_path)
    loaded = Codebooks.load(tmp_path, OPTIONS)
    np.testing.assert_array_equal(loaded.encode(paint(5)), model.codebooks.encode(paint(5)))


def test_the_sample_of_an_image_does_not_depend_on_the_others(images):
    from art_pipeline.models.svm.dense_svm import _sample

    drawn = [_sample(7, images, OPTIONS, each)["shape"].values for each in (20, 20, 40)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert {row.tobytes() for row in drawn[0]} <= {row.tobytes() for row in drawn[2]}


def test_more_images_than_descriptors_are_sampled_evenly(images):
    few = OPTIONS.model_copy(update={"max_descriptors": 15})
    expected = fit_codebooks(IDS[::3], images, few)
    np.testing.assert_array_equal(fit_codebooks(IDS, images, few).encode(paint(5)), expected.encode(paint(5)))


def test_too_few_descriptors_name_the_remedy(images):
    with pytest.raises(ModelError, match=r"Lower shape\.words"):
        fit_codebooks([1], images, OPTIONS.model_copy(update={"max_descriptors": 10}))


def test_what_is_not_said_of_the_grid_stays_as_it_is_for_encoded_images():
    assert DenseSvmOptions(task="department", svm={"folds": 2}).svm.C == (1, 3, 10)


def test_a_model_without_any_channel():
    with pytest.raises(ValidationError, match="weight above 0"):
        DenseSvmOptions(task="department", shape={"weight": 0}, colour={"weight": 0})


@pytest.mark.parametrize(
    "wrong", [{"cell_sizes": []}, {"cell_sizes": [0]}, {"encoding": "nothing"}, {"words": 0}, {"step": 0}]
)
def test_what_cannot_be_asked_for(wrong):
    with pytest.raises(ValidationError):
        DenseSvmOptions(task="department", shape=wrong)
