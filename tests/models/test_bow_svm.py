import json

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from art_pipeline.errors import ModelError
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.sift import SiftOptions
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import image_path, read_rgb
from art_pipeline.kedro_ext.datasets import FolderDataset
from art_pipeline.models.classifier import read_details
from art_pipeline.models.features import StoredExtractors
from art_pipeline.models.registry import load_classifier
from art_pipeline.models.svm.bow_svm import BowSvm, BowSvmOptions, VisualWords, train_bow_svm
from art_pipeline.models.svm.vocabulary import fit_vocabulary, word_histograms

CLASSES = ("checks", "dots", "lignes à l'encre")
SIFT = SiftOptions()
OPTIONS = BowSvmOptions(
    task="department",
    features=["sift"],
    vocabulary={"words": 20, "max_descriptors": 4000},
    svm={"folds": 3, "C": [1, 10], "gamma": ["scale"]},
)


def texture(kind, seed, side=72):
    """A noisy image of one of three kinds, of random scale, phase and contrast."""
    rng = np.random.default_rng([kind, seed])
    y, x = np.mgrid[:side, :side] + rng.uniform(0, 20, 2)[:, None, None]
    period = rng.uniform(9, 14)
    wave_x, wave_y = np.sin(2 * np.pi * x / period), np.sin(2 * np.pi * y / period)
    shape = [np.sign(wave_x * wave_y), (wave_x + wave_y > 1.2).astype(float), np.sign(np.sin(x / 2) + wave_y / 3)][kind]
    grey = 128 + shape * rng.uniform(40, 90) + rng.normal(0, 12, (side, side))
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def truth(object_id):
    return CLASSES[object_id % 3]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Folders of 45 images and of their descriptors; object 45 is blank."""
    images, described = (tmp_path_factory.mktemp(name) for name in ("images", "described"))
    for object_id in range(1, 45):
        Image.fromarray(texture(object_id % 3, object_id)).save(image_path(images, object_id), quality=95)
    Image.new("RGB", (64, 64), "white").save(image_path(images, 45))
    update_store(described, {one: image_path(images, one) for one in range(1, 46)}, SIFT.create())
    return images, described


def train(described, object_ids):
    labels, store = [truth(object_id) for object_id in object_ids], FeatureStore(described)
    words = VisualWords(StoredExtractors.of({"sift": store}), fit_vocabulary(store, object_ids, OPTIONS.vocabulary))
    counts = word_histograms(store.rows_of(object_ids), len(object_ids), words.vocabulary)
    return train_bow_svm(counts, labels, OPTIONS, words, 72)


@pytest.fixture(scope="module")
def model(work):
    """Trained on the first thirty and the blank one."""
    return train(work[1], [*range(1, 31), 45])


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path)
    return tmp_path


def rewrite_card(folder, **changes):
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps(card | changes), encoding="utf-8")


def interrupt(*_):
    raise KeyboardInterrupt


def test_new_textures_are_classified_correctly(model, work):
    new = range(31, 45)
    probabilities = model.probabilities(read_rgb(image_path(work[0], one)) for one in new)
    assert probabilities.shape == (14, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    guessed = [model.classes[best] for best in probabilities.argmax(axis=1)]
    assert np.mean([guess == truth(one) for guess, one in zip(guessed, new, strict=True)]) > 0.7  # chance is 0.33


def test_classes_are_in_order_and_are_strings(model):
    assert model.classes == tuple(sorted(CLASSES))
    assert all(type(name) is str for name in model.classes)


def test_images_and_their_descriptors_get_the_same_probabilities(model, work):
    ids = [31, 45, 32]
    by_images = model.probabilities([read_rgb(image_path(work[0], one)) for one in ids])
    counts = word_histograms(FeatureStore(work[1]).rows_of(ids), 3, model.words.vocabulary)
    np.testing.assert_array_equal(by_images, model.probabilities_from_counts(counts))


def test_an_image_gets_the_same_probabilities_alone_and_among_others(model, work):
    images = [read_rgb(image_path(work[0], one)) for one in (31, 32, 33)]
    together = model.probabilities(images)
    np.testing.assert_allclose(model.probabilities(images[1:2])[0], together[1], rtol=1e-9)


def test_a_loaded_model_is_the_same(model, work, saved):
    images = [read_rgb(image_path(work[0], one)) for one in range(31, 36)]
    loaded = load_classifier(saved)
    assert isinstance(loaded, BowSvm)
    np.testing.assert_array_equal(loaded.probabilities(images), model.probabilities(images))
    assert (loaded.classes, loaded.max_side, loaded.options) == (model.classes, 72, OPTIONS)
    assert loaded.training == model.training


def test_the_same_training_writes_the_same_bytes(work, saved, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    train(work[1], [*range(1, 31), 45]).save(again)

    def content(folder):
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    assert content(again) == content(saved)
    assert {name for name in content(saved) if not name.endswith(".npy")} == {
        "model.json",
        "features/sift/extractor.json",
    }


def test_a_saving_that_was_interrupted_is_done_again(model, tmp_path, monkeypatch):
    """The catalog keeps the part of a model's folder, for networks that go on with a training."""
    dataset = FolderDataset((tmp_path / "model").as_posix(), keep_part=True)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(model.svm), "save", interrupt)
        dataset.save(model.save)
    dataset.save(model.save)
    assert load_classifier(dataset.load()).training == model.training


def test_the_card_is_for_people(saved):
    text = (saved / "model.json").read_text(encoding="utf-8")
    assert "lignes à l'encre" in text
    card = json.loads(text)
    assert (card["kind"], card["format"], card["max_side"]) == ("bow_svm", 2, 72)
    assert card["options"]["features"] == ["sift"]


def test_the_details_tell_what_training_met(model, saved):
    told = read_details(saved)
    assert told["trained_on"] == {"original": 31, "generated": 0}
    assert told["images_without_key_points"] == 1
    assert (told["folds"], told["requested_folds"], told["smallest_class"]) == (3, 3, 10)
    assert told["support_vectors"] == len(model.svm.support)
    assert told["best"] in told["grid"]
    assert [one["C"] for one in told["grid"]] == [1, 10]
    assert {key: told[key] for key in model.training} == json.loads(json.dumps(model.training))


def test_the_order_of_the_labels_and_not_of_the_images_gives_the_classes(work, model):
    reverse = train(work[1], [45, *range(30, 0, -1)])
    assert reverse.classes == model.classes


def test_one_class_is_too_few(work):
    with pytest.raises(ModelError, match="at least two classes"):
        train(work[1], list(range(3, 31, 3)))


def test_too_few_key_points_are_an_error(work):
    with pytest.raises(ModelError, match=r"The 1 training images have 0 local descriptors, too few for 20 words"):
        train(work[1], [45])


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(ModelError, match=r"holds no model: model\.json cannot be read\. Train it with kedro run"):
        load_classifier(tmp_path / "nothing")
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(ModelError, match="holds no model"):
        load_classifier(tmp_path)


@pytest.mark.parametrize("number", [0, 3, "1", None])
def test_a_model_of_another_format_is_refused(saved, number):
    rewrite_card(saved, format=number)
    with pytest.raises(ModelError, match=f"a model of format {number}, not 2. Train it again"):
        load_classifier(saved)


def test_a_model_of_a_kind_that_is_not_known_is_refused(saved):
    rewrite_card(saved, kind="bow_svn")
    with pytest.raises(ModelError, match=r"no model of kind 'bow_svn'\. Did you mean 'bow_svm'\?"):
        load_classifier(saved)


def test_no_array_is_trusted(saved):
    np.save(saved / "vocabulary.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(ModelError, match=r"is damaged .*allow_pickle"):
        load_classifier(saved)


@pytest.mark.parametrize(
    "options", [{"train_on": ["test"]}, {"train_on": []}, {"weighting": "tfidf"}, {"svn": {}}, {"kind": "svm"}]
)
def test_options_are_closed_and_in_range(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        BowSvmOptions(**{"task": "department", "features": ["sift"]} | options)


@pytest.mark.parametrize(
    ("features", "problem"),
    [
        ({"sift": SIFT}, None),
        ({"sift": SIFT, "fewer": SiftOptions(max_keypoints=5)}, "exactly one block of local descriptors"),
        ({"colours": ColourMomentsOptions()}, r"colours (colour_moments) has one row per image"),
    ],
)
def test_it_reads_one_block_of_local_descriptors(features, problem):
    found = OPTIONS.find_feature_problem(features)
    assert found is None if problem is None else problem in found
