import base64
import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.errors import ModelError
from art_pipeline.evaluation.acceptance import Thresholds
from art_pipeline.evaluation.label_thresholds import LabelThresholds
from art_pipeline.models import pyfunc
from art_pipeline.models.pyfunc import ImageClassifier, _load_pyfunc, serving_config

CLASSES = ("blau", "grün", "rot")
COLUMNS = ["p:rot", "p:grün", "p:blau"]


class ByColour:
    """Judges by the share of red, green and blue, and notes the shapes that it saw."""

    classes = ("rot", "grün", "blau")
    max_side = 40
    thresholds = None

    def __init__(self):
        self.shapes = []

    def probabilities(self, images):
        images = list(images)
        self.shapes += [image.shape for image in images]
        sums = np.array([image.reshape(-1, 3).sum(axis=0) + 1.0 for image in images])
        return sums / sums.sum(axis=1, keepdims=True)


def encode(image, kind, **how):
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def body(colour, kind="PNG", size=(60, 30), mode="RGB"):
    return encode(Image.new(mode, size, colour), kind)


def test_files_become_labels_with_probabilities():
    bodies = [body("red"), body("lime", "JPEG"), body("blue", "WEBP"), body("red", "GIF")]
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": bodies}))
    assert list(found.columns) == ["status", "label", "probability", "accepted", *COLUMNS]
    assert found["label"].tolist() == ["rot", "grün", "blau", "rot"]
    np.testing.assert_allclose(found[COLUMNS].sum(axis=1), 1)
    np.testing.assert_array_equal(found["probability"], found[COLUMNS].max(axis=1))
    assert (found["probability"] > 0.9).all()


def test_images_are_bounded_as_the_training_images_were():
    classifier = ByColour()
    ImageClassifier(classifier).predict(pd.DataFrame({"image": [body("red"), body("red", size=(20, 10))]}))
    assert classifier.shapes == [(20, 40, 3), (10, 20, 3)]


def test_base64_text_is_decoded_and_what_is_none_costs_its_own_row():
    plain = base64.b64encode(body("red")).decode()
    lines = base64.encodebytes(body("blue")).decode()  # as MLflow's own client writes it
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": [plain, lines, plain[:-1], "é", ""]}))
    assert found["status"].tolist() == ["ok", "ok", "not_base64", "not_base64", "empty"]
    assert found["label"].tolist() == ["rot", "blau", None, None, None]


def test_predictions_are_accepted_by_the_thresholds_of_the_model():
    table = pd.DataFrame({"image": [body("red"), body("lime"), b""]})
    assert ImageClassifier(ByColour()).predict(table)["accepted"].tolist() == [None] * 3
    model = ImageClassifier(ByColour(), Thresholds(0.9, {"rot": 1.0, "grün": float("nan")}))
    assert model.predict(table)["accepted"].tolist() == [False, False, None]
    assert ImageClassifier(ByColour(), Thresholds(0.9, {})).predict(table)["accepted"].tolist() == [True, True, None]


@given(st.dictionaries(st.text(), st.floats(0, 1) | st.just(float("nan"))), st.floats(0, 1) | st.just(float("nan")))
def test_thresholds_survive_json(of_class, overall):
    config = json.loads(json.dumps(serving_config(Thresholds(overall, of_class, 7)), allow_nan=False))
    found = Thresholds.from_config(config["acceptance"])
    np.testing.assert_equal(found, Thresholds(overall, of_class, 7))


def test_what_a_server_returns_is_json(monkeypatch):
    monkeypatch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": [body("red"), b""]}))
    rows = json.loads(json.dumps(found.to_dict("records"), allow_nan=False))
    assert rows[1] == {"status": "empty"} | dict.fromkeys(["label", "probability", "accepted", *COLUMNS])
    assert rows[0]["label"] == "rot"


def test_a_model_stored_by_a_newer_version_is_refused(tmp_path, save_svm):
    save_svm(tmp_path, list(CLASSES) * 6)
    with pytest.raises(ModelError, match="stored in format 99"):
        _load_pyfunc(str(tmp_path), {"format": 99})
    thresholds = serving_config(Thresholds(0.0, {}))
    assert (
        _load_pyfunc(str(tmp_path), thresholds).predict(pd.DataFrame({"image": [body("red")]}))["accepted"][0] is True
    )


def test_grey_and_transparent_images_are_taken():
    bodies = [body(200, mode="L"), body((255, 0, 0, 0), mode="RGBA")]
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": bodies}))
    np.testing.assert_allclose(found[COLUMNS], 1 / 3, atol=0.01)


def test_the_index_is_kept_and_nothing_given_is_changed():
    table = pd.DataFrame({"image": [body("red"), body("blue")], "note": ["x", "y"]}, index=["b", "a"])
    found = ImageClassifier(ByColour()).predict(table, params=None)
    assert found.index.tolist() == ["b", "a"]
    assert found["label"].tolist() == ["rot", "blau"]
    assert list(table.columns) == ["image", "note"]


def test_a_multilabel_model_gives_all_labels_from_their_thresholds_and_no_single_probability():
    classifier = ByColour()
    classifier.thresholds = LabelThresholds(classifier.classes, np.array([0.3, 0.3, 0.7]))
    bodies = [body("red"), body("yellow"), body("blue"), body((100, 100, 110)), b""]
    found = ImageClassifier(classifier).predict(pd.DataFrame({"image": bodies}))
    assert list(found.columns) == ["status", "label", "accepted", *COLUMNS]
    assert found["label"].tolist() == ["rot", "grün|rot", "blau", "grün|rot", None]
    assert found["p:rot"].notna().tolist() == [True] * 4 + [False]


def test_an_image_may_have_no_label():
    classifier = ByColour()
    classifier.thresholds = LabelThresholds(classifier.classes, np.full(3, 0.9))
    assert ImageClassifier(classifier).predict(pd.DataFrame({"image": [body("gray")]}))["label"].tolist() == [""]
    classifier.thresholds = LabelThresholds(classifier.classes, np.array([0.8, 0.9, 0.9]), min_labels=1)
    assert ImageClassifier(classifier).predict(pd.DataFrame({"image": [body("gray")]}))["label"].tolist() == ["rot"]


BAD = {
    "empty": b"",
    "not_an_image": b"<html></html>",
    "truncated": body("red", size=(400, 300))[:-60],
    "not_base64": "red.png",
    "not_bytes": 7,
}


def test_a_row_without_a_usable_image_has_a_status_and_costs_the_others_nothing(caplog):
    bodies = [body("red"), *BAD.values(), body("blue", "JPEG")]
    index = pd.Index([f"row {number}" for number in range(len(bodies))])
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": bodies}, index=index))
    alone = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": [bodies[0], bodies[-1]]}, index=index[[0, -1]]))
    pd.testing.assert_frame_equal(found.iloc[[0, -1]], alone)
    assert found["status"].tolist() == ["ok", *BAD, "ok"]
    failed = found.iloc[1:-1]
    assert failed["label"].tolist() == [None] * len(BAD)
    assert failed.drop(columns=["status", "label"]).isna().all(axis=None)
    assert caplog.messages == [
        "5 of 7 rows of 'image' have no prediction: "
        "row 1 empty, row 2 not_an_image, row 3 truncated, row 4 not_base64, row 5 not_bytes."
    ]


def test_odd_metadata_costs_no_image_and_a_damaged_file_no_other():
    plain = Image.new("RGB", (60, 30), "red")
    odd = {
        "comment": encode(plain, "GIF", comment=b"x" * 70_000),
        "exif": encode(plain, "WEBP", exif=b"Exif\0\0garbage!"),
        "damaged": encode(plain, "AVIF").replace(b"av01", b"av99"),
        "plain": encode(plain, "JPEG"),
    }
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": odd.values()}, index=odd))
    assert found["status"].to_dict() == dict.fromkeys(odd, "ok") | {"damaged": "undecodable"}
    assert found["label"].to_dict() == dict.fromkeys(odd, "rot") | {"damaged": None}


@pytest.mark.parametrize("bad", [None, float("nan"), 7])
def test_a_row_that_is_no_file_has_a_status(bad):
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": [body("red"), bad]}))
    assert found["status"].tolist() == ["ok", "not_bytes"]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_kinds_of_bytes_are_taken(kind):
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": [kind(body("red"))]}))
    assert found["label"].tolist() == ["rot"]


def test_of_unusable_images_alone_nothing_is_predicted():
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": list(BAD.values())}))
    assert found["status"].tolist() == list(BAD)
    assert found["label"].tolist() == [None] * len(BAD)


def test_of_no_images_nothing_is_said():
    some = pd.DataFrame({"image": [body("red")]})
    judged = ImageClassifier(ByColour()).predict(some[:0])
    assert len(judged) == 0
    assert judged.columns.equals(ImageClassifier(ByColour()).predict(some).columns)


def test_a_table_without_images_is_told_what_it_has():
    with pytest.raises(ModelError, match=r"Give a column 'image' .*; the columns are: photo, note"):
        ImageClassifier(ByColour()).predict(pd.DataFrame({"photo": [body("red")], "note": ["x"]}))


def test_an_image_too_large_is_named(monkeypatch):
    monkeypatch.setattr(pyfunc, "MAX_PIXELS", 100)
    found = ImageClassifier(ByColour()).predict(pd.DataFrame({"image": [body("red")]}))
    assert found["status"].tolist() == ["too_large"]


def test_a_stored_model_is_loaded_as_mlflow_does(tmp_path, save_svm):
    save_svm(tmp_path, list(CLASSES) * 6)
    found = _load_pyfunc(str(tmp_path)).predict(pd.DataFrame({"image": [body("red"), body("red", "JPEG")]}))
    assert list(found.columns) == ["status", "label", "probability", "accepted", *sorted(COLUMNS)]
    assert found["label"].isin(CLASSES).all()
