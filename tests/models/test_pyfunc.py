import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from art_pipeline.errors import ModelError
from art_pipeline.models import pyfunc
from art_pipeline.models.pyfunc import PictureClassifier, _load_pyfunc
from art_pipeline.models.svm import SvmOptions
from art_pipeline.models.svm_search import search_svm

CLASSES = ("blau", "grün", "rot")
COLUMNS = ["p:rot", "p:grün", "p:blau"]


class ByColour:
    """Judges by the share of red, green and blue, and notes the shapes that it saw."""

    classes = ("rot", "grün", "blau")
    max_side = 40

    def __init__(self):
        self.shapes = []

    def probabilities(self, pictures):
        pictures = list(pictures)
        self.shapes += [picture.shape for picture in pictures]
        sums = np.array([picture.reshape(-1, 3).sum(axis=0) + 1.0 for picture in pictures])
        return sums / sums.sum(axis=1, keepdims=True)


def body(colour, kind="PNG", size=(60, 30), mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, kind)
    return buffer.getvalue()


def test_files_become_labels_with_probabilities():
    bodies = [body("red"), body("lime", "JPEG"), body("blue", "WEBP"), body("red", "GIF")]
    found = PictureClassifier(ByColour()).predict(pd.DataFrame({"image": bodies}))
    assert list(found.columns) == ["label", "probability", *COLUMNS]
    assert found["label"].tolist() == ["rot", "grün", "blau", "rot"]
    np.testing.assert_allclose(found[COLUMNS].sum(axis=1), 1)
    np.testing.assert_array_equal(found["probability"], found[COLUMNS].max(axis=1))
    assert (found["probability"] > 0.9).all()


def test_pictures_are_bounded_as_the_training_pictures_were():
    classifier = ByColour()
    PictureClassifier(classifier).predict(pd.DataFrame({"image": [body("red"), body("red", size=(20, 10))]}))
    assert classifier.shapes == [(20, 40, 3), (10, 20, 3)]


def test_grey_and_transparent_pictures_are_taken():
    bodies = [body(200, mode="L"), body((255, 0, 0, 0), mode="RGBA")]
    found = PictureClassifier(ByColour()).predict(pd.DataFrame({"image": bodies}))
    np.testing.assert_allclose(found[COLUMNS], 1 / 3, atol=0.01)


def test_the_index_is_kept_and_nothing_given_is_changed():
    table = pd.DataFrame({"image": [body("red"), body("blue")], "note": ["x", "y"]}, index=["b", "a"])
    found = PictureClassifier(ByColour()).predict(table, params=None)
    assert found.index.tolist() == ["b", "a"]
    assert found["label"].tolist() == ["rot", "blau"]
    assert list(table.columns) == ["image", "note"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "empty"),
        (b"<html></html>", "not an image"),
        (body("red", size=(400, 300))[:-60], "truncated"),
    ],
)
def test_a_row_without_a_picture_is_named(bad, reason):
    table = pd.DataFrame({"image": [body("red"), bad]}, index=[7, 8])
    with pytest.raises(ModelError, match=rf"^Row 1 of 'image' holds no usable picture: {reason}\.$"):
        PictureClassifier(ByColour()).predict(table)


@pytest.mark.parametrize("bad", [None, float("nan"), "red.png"])
def test_a_row_that_is_no_file_is_named_with_what_it_is(bad):
    table = pd.DataFrame({"image": [body("red"), bad]})
    with pytest.raises(ModelError, match=rf"^Row 1 of 'image' is {type(bad).__name__}, not the bytes of a picture"):
        PictureClassifier(ByColour()).predict(table)


def test_of_no_pictures_nothing_is_said():
    some = pd.DataFrame({"image": [body("red")]})
    judged = PictureClassifier(ByColour()).predict(some[:0])
    assert len(judged) == 0
    assert judged.columns.equals(PictureClassifier(ByColour()).predict(some).columns)


def test_a_table_without_pictures_is_told_what_it_has():
    with pytest.raises(ModelError, match=r"Give a column 'image' .*; there are: picture, note"):
        PictureClassifier(ByColour()).predict(pd.DataFrame({"picture": [body("red")], "note": ["x"]}))


def test_a_picture_too_large_is_named(monkeypatch):
    monkeypatch.setattr(pyfunc, "MAX_PIXELS", 100)
    with pytest.raises(ModelError, match=r"Row 0 .*: too large\."):
        PictureClassifier(ByColour()).predict(pd.DataFrame({"image": [body("red")]}))


def test_a_stored_model_is_loaded_as_mlflow_does(tmp_path):
    from art_pipeline.models.bow_svm import BowSvm
    from art_pipeline.vision.sift import SiftOptions

    rng = np.random.default_rng(0)
    machine = search_svm(rng.normal(size=(18, 4)), np.arange(18) % 3, SvmOptions(folds=2)).svm
    vocabulary = rng.integers(0, 256, (4, 128)).astype(np.float32)
    BowSvm(CLASSES, 64, SiftOptions(), "hellinger", vocabulary, machine, {}).save(tmp_path)
    found = _load_pyfunc(str(tmp_path)).predict(pd.DataFrame({"image": [body("red"), body("red", "JPEG")]}))
    assert list(found.columns) == ["label", "probability", *sorted(COLUMNS)]
    assert found["label"].isin(CLASSES).all()
