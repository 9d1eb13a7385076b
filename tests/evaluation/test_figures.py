import io
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.errors import EvaluationError, StorageError
from art_pipeline.evaluation.figures.calibration import plot_calibration
from art_pipeline.evaluation.figures.canvas import BLUE, DPI, GREEN, ORANGE, short_names
from art_pipeline.evaluation.figures.class_counts import plot_class_distribution
from art_pipeline.evaluation.figures.confusion_matrix import plot_confusion_matrix
from art_pipeline.evaluation.figures.examples import plot_prediction_examples
from art_pipeline.evaluation.predictions import make_predictions as join

AWKWARD = [
    "$x^2 & <script>",
    "two\nlines",
    "名前",
    "",
    "Sculpture and Decorative Arts of the West",
    "%s {} \\",
]


def make_predictions(ids, labels, probabilities, classes):
    rows = pd.DataFrame({"object_id": ids, "label": labels, "split": "test"})
    return join(rows, probabilities, classes, origins="held_out")


def predictions(k=10, n=60, seed=0, names=None):
    rng = np.random.default_rng(seed)
    classes = names or [f"A rather long name of class {i:02d}" for i in range(k)]
    true = np.arange(n) % len(classes)
    scores = rng.normal(size=(n, len(classes)))
    scores[np.arange(n), true] += 2
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return make_predictions(np.arange(n) + 100, [classes[i] for i in true], probabilities, classes)


def counts(names, seed=0):
    values = np.random.default_rng(seed).integers(0, 90, (len(names), 3))
    return pd.DataFrame(values, index=names, columns=["train", "validation", "test"])


def painted(object_id):
    """An image in the colour of its number; every third is missing, in one way or another."""
    missing = {0: FileNotFoundError("gone"), 3: KeyError(object_id), 6: StorageError("damaged")}
    if object_id % 9 in missing:
        raise missing[object_id % 9]
    return np.full((20 + object_id % 50, 40, 3), object_id % 256, dtype=np.uint8)


def size_of(png):
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert image.format == "PNG"
        return image.size


def pixels_of(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def shows(png, colour):
    wanted = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return bool((pixels_of(png) == wanted).all(axis=-1).any())


DRAWN = {
    "confusion_matrix": plot_confusion_matrix,
    "calibration": plot_calibration,
    "prediction_examples": lambda table: plot_prediction_examples(table, painted, n=3),
    "class_distribution": lambda table: plot_class_distribution(counts(sorted(set(table["label"])))),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_input_gives_the_same_bytes_whatever_the_callers_style(name):
    table = predictions(5)
    first = DRAWN[name](table)
    with mpl.rc_context({"font.size": 20, "figure.facecolor": "black", "savefig.dpi": 30}):
        assert DRAWN[name](table.sample(frac=1, random_state=1)) == first
        assert mpl.rcParams["font.size"] == 20
    with Image.open(io.BytesIO(first)) as image:
        assert "Software" not in image.info


@given(names=st.lists(st.text(max_size=40), min_size=1, max_size=4, unique=True))
@settings(max_examples=4, deadline=None)
def test_any_class_name_can_be_drawn(names):
    size_of(plot_confusion_matrix(predictions(names=names, n=8)))


@pytest.mark.parametrize("name", DRAWN)
def test_awkward_names_are_drawn_as_they_are(name):
    size_of(DRAWN[name](predictions(names=AWKWARD)))


def test_nothing_touches_pyplot():
    before = "matplotlib.pyplot" in sys.modules
    for draw in DRAWN.values():
        draw(predictions(2))
    assert ("matplotlib.pyplot" in sys.modules) == before


@pytest.mark.parametrize(("k", "cells"), [(2, 1.8), (10, 5.0), (50, 12.5)])
def test_a_confusion_matrix_grows_with_its_classes(k, cells):
    """The cells have the promised size, and the names no more room than they need."""
    width, height = size_of(plot_confusion_matrix(predictions(k, n=max(100, 2 * k))))
    assert cells < width / DPI < cells + 4.5
    assert cells < height / DPI < cells + 3.5


def test_a_confusion_matrix_of_many_classes_shows_the_largest(monkeypatch):
    monkeypatch.setattr("art_pipeline.evaluation.figures.confusion_matrix.MOST", 10)
    width, _ = size_of(plot_confusion_matrix(predictions(30, n=100)))
    assert 5.0 < width / DPI < 5.0 + 4.5


def test_a_confusion_matrix_shows_right_in_blue_and_wrong_in_vermilion():
    right = make_predictions(range(4), list("abab"), np.tile(np.eye(2), (2, 1)), list("ab"))
    wrong = right.assign(label=["b", "a", "b", "a"])
    for table, present, absent in ((right, "#003f66", "#7d3600"), (wrong, "#7d3600", "#003f66")):
        cells = plot_confusion_matrix(table)
        area = {colour: np.sum(np.all(pixels_of(cells) == hex_rgb(colour), axis=-1)) for colour in (present, absent)}
        assert area[present] > 20 * area[absent]  # the key shows a line of both


def hex_rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


@pytest.mark.parametrize("k", [1, 10, 50])
def test_a_class_distribution_is_nine_inches_wide_and_shows_each_split(k):
    png = plot_class_distribution(counts([f"class {i}" for i in range(k)], seed=1))
    assert size_of(png)[0] == 9 * DPI
    assert all(shows(png, colour) for colour in (BLUE, ORANGE, GREEN))


def test_a_class_distribution_ignores_the_order_of_classes_of_different_size():
    table = pd.DataFrame({"train": [3, 9, 6], "test": [1, 2, 3]}, index=list("abc"))
    assert plot_class_distribution(table) == plot_class_distribution(table.loc[list("cab")])


def test_no_classes_cannot_be_drawn():
    with pytest.raises(EvaluationError, match="no classes to plot"):
        plot_class_distribution(pd.DataFrame())


def test_examples_ask_for_the_images_they_show_and_no_others():
    table = make_predictions([1, 2, 3, 4], list("aabb"), [[0.9, 0.1], [0.45, 0.55], [0.2, 0.8], [0.8, 0.2]], list("ab"))
    asked = []
    plot_prediction_examples(table, asked.append, n=1)
    assert asked == [1, 4, 2]  # surest and right, surest and wrong, least sure


def test_examples_draw_images_and_gaps():
    table = make_predictions([1, 2], ["a", "b"], np.eye(2), ["a", "b"])
    red = np.zeros((30, 10, 3), dtype=np.uint8)
    red[..., 0] = 250
    drawn = plot_prediction_examples(table, lambda _: red, n=2)
    empty = plot_prediction_examples(table, lambda _: None, n=2)
    assert size_of(drawn) == size_of(empty)
    assert shows(drawn, "#fa0000")
    assert not shows(empty, "#fa0000")


def test_a_defect_of_the_reader_is_not_hidden():
    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        plot_prediction_examples(predictions(2), broken)


def test_examples_need_a_place():
    with pytest.raises(EvaluationError, match="ask for at least 1"):
        plot_prediction_examples(predictions(2), painted, n=0)


def test_calibration_has_its_size():
    assert size_of(plot_calibration(predictions())) == (int(5.4 * DPI), int(5.6 * DPI))


def test_long_names_are_cut_and_stay_different():
    names = ["European Sculpture, early", "European Sculpture, late", "Arms"]
    assert short_names(names, 12) == ["Europ…early", "Europ… late", "Arms"]
    assert short_names(["European Paintings"], 12) == ["European Pa…"]
