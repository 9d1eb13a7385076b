import io
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures import class_counts
from art_pipeline.evaluation.figures import learning_curves as curves
from art_pipeline.evaluation.figures.canvas import BLUE, DPI, ORANGE, SKY
from art_pipeline.evaluation.figures.class_counts import plot_augmentation
from art_pipeline.evaluation.figures.examples import plot_augmentation_examples
from art_pipeline.evaluation.figures.learning_curves import plot_learning_curves
from art_pipeline.evaluation.figures.model_comparison import plot_model_comparison

AWKWARD = ["$x^2 & <script>", "two\nlines", "名前", "", "%s {} \\", "A name much longer than the room for it " * 3]
LOSSES = st.floats() | st.sampled_from([0.0, 1.0, 1e-30, 1e-9, 9e29])
ACCURACIES = st.floats(0, 1) | st.just(np.nan)


def history(n, seed=0):
    rng = np.random.default_rng(seed)
    epochs = np.arange(1, n + 1)
    curves = {"loss": 2 / epochs, "accuracy": 1 - 0.9 / epochs, "val_loss": 1 + 1 / epochs, "val_accuracy": 0.5}
    return pd.DataFrame({"epoch": epochs} | {name: curve + rng.uniform(0, 0.1, n) for name, curve in curves.items()})


def counts(names, seed=0, most=900):
    rng = np.random.default_rng(seed)
    columns = {"original": rng.integers(1, 200, len(names)), "generated": rng.integers(0, most + 1, len(names))}
    return pd.DataFrame(columns, index=names)


def copies(rows, n=3):
    """Images of all shapes, one colour each."""
    return [
        (title, [np.full((9 + 7 * i, 12 + 3 * j, 3), 20 * i + j, dtype=np.uint8) for j in range(n + 1)])
        for i, title in enumerate(rows)
    ]


def metrics(accuracy, f1=None, half=0.05):
    f1 = accuracy if f1 is None else f1
    intervals = {k: {"low": v - half, "high": v + half} for k, v in (("accuracy", accuracy), ("f1_macro", f1))}
    return {"accuracy": accuracy, "f1_macro": f1, "interval_95": intervals}


def size_of(png):
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert image.format == "PNG"
        assert "Software" not in image.info
        return image.size


def area(png, colour):
    """How many pixels have a colour."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    with Image.open(io.BytesIO(png)) as image:
        return int((np.asarray(image.convert("RGB")) == wanted).all(axis=-1).sum())


DRAWN = {
    "learning_curves": lambda: plot_learning_curves(history(7)),
    "augmentation_distribution": lambda: plot_augmentation(counts(AWKWARD)),
    "augmentation_examples": lambda: plot_augmentation_examples(copies(AWKWARD)),
    "no_examples": lambda: plot_augmentation_examples([]),
    "comparison": lambda: plot_model_comparison({name: metrics(0.5) for name in AWKWARD}),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_input_gives_the_same_bytes_whatever_the_callers_style(name):
    before = "matplotlib.pyplot" in sys.modules
    first = DRAWN[name]()
    size_of(first)
    with mpl.rc_context({"font.size": 20, "figure.facecolor": "black", "savefig.dpi": 30}):
        assert DRAWN[name]() == first
    assert ("matplotlib.pyplot" in sys.modules) == before


@pytest.mark.parametrize("n", [1, 2, 23, 100])
def test_learning_curves_have_their_size_and_show_both_curves(n):
    png = plot_learning_curves(history(n))
    assert size_of(png) == (int(5.4 * DPI), int(5.6 * DPI))
    assert area(png, BLUE)
    assert area(png, ORANGE)


@given(st.lists(st.tuples(LOSSES, ACCURACIES, LOSSES, ACCURACIES), min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_any_numbers_can_be_drawn(values):
    """A network that diverges has losses that are not finite, or beyond all scales."""
    table = pd.DataFrame(values, columns=["loss", "accuracy", "val_loss", "val_accuracy"])
    size_of(plot_learning_curves(table.assign(epoch=range(1, len(table) + 1))))


def test_neither_the_order_of_epochs_nor_other_columns_matter():
    table = history(9)
    shuffled = table.sample(frac=1, random_state=1).assign(auc=0.5, note="x")
    assert plot_learning_curves(shuffled) == plot_learning_curves(table)


@given(st.lists(st.sampled_from([0.5, 0.7, np.nan, np.inf]), min_size=1, max_size=8))
@settings(deadline=None)
def test_the_best_epoch_is_the_first_of_the_lowest_validation_loss(losses):
    finite = [loss for loss in losses if np.isfinite(loss)]
    table = history(len(losses)).assign(val_loss=losses).replace(np.inf, np.nan)
    best = curves._best_epoch(table)
    assert best == (losses.index(min(finite)) if finite else None)
    title = curves._title(table, best)
    assert (f"best epoch {best + 1} of {len(losses)}" if finite else "no finite validation loss") in title


def test_a_history_without_validation_has_one_curve():
    alone = history(5).assign(val_loss=np.nan, val_accuracy=np.nan)
    assert curves._title(alone, None) == "Learning curves: 5 epochs, no validation"
    png = plot_learning_curves(alone)
    assert area(png, BLUE)
    assert not area(png, ORANGE)


def test_the_best_epoch_is_marked():
    marked, unmarked = (history(5).assign(val_loss=value) for value in (0.9, np.nan))
    assert area(plot_learning_curves(marked), ORANGE) > area(plot_learning_curves(unmarked), ORANGE)
    moved = marked.assign(val_loss=[0.9, 0.9, 0.9, 0.9, 0.8999])
    assert plot_learning_curves(moved) != plot_learning_curves(marked)


@pytest.mark.parametrize("column", ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"])
def test_a_missing_column_of_the_history_is_named(column):
    with pytest.raises(EvaluationError, match=f"no column '{column}'; it needs epoch, loss"):
        plot_learning_curves(history(3).drop(columns=column))


def test_a_history_without_epochs_is_refused():
    with pytest.raises(EvaluationError, match="the training history has no epoch"):
        plot_learning_curves(history(0))


@pytest.mark.parametrize("k", [1, 10, 50])
def test_augmentation_is_nine_inches_wide_and_grows_with_its_classes(k):
    png = plot_augmentation(counts([f"A class of a long, long name: number {i}" for i in range(k)]))
    assert size_of(png)[0] == 9 * DPI
    assert area(png, BLUE)
    assert area(png, SKY)


def test_without_generated_images_only_the_key_shows_their_colour():
    names = list("abcdef")
    some, none = counts(names), counts(names, most=0)
    assert size_of(plot_augmentation(none)) == size_of(plot_augmentation(some))
    assert area(plot_augmentation(none), SKY) * 20 < area(plot_augmentation(some), SKY)


def test_augmentation_ignores_the_order_of_classes_of_different_size():
    table = pd.DataFrame({"original": [3, 9, 6], "generated": [1, 2, 30]}, index=list("abc"))
    shuffled = table.loc[list("cab"), ["generated", "original"]]
    assert plot_augmentation(shuffled) == plot_augmentation(table)


def test_a_bar_ends_with_what_was_before_and_after():
    before_and_after = class_counts._before_and_after
    assert before_and_after(pd.Series({"original": 1026, "generated": 3078})) == "1,026 → 4,104"
    assert before_and_after(pd.Series({"original": 26, "generated": 0})) == "26"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (counts(["a"]).drop(columns="generated"), "no column 'generated'; it needs original, generated"),
        (counts([]), "no classes to plot"),
        (pd.DataFrame(), "no column 'original'"),
    ],
)
def test_a_table_of_counts_that_cannot_be_drawn_is_refused(table, message):
    with pytest.raises(EvaluationError, match=message):
        plot_augmentation(table)


def test_examples_show_each_image_once_beside_its_frame():
    images = [np.zeros((30, 30, 3), dtype=np.uint8) for _ in range(3)]
    for i, image in enumerate(images):
        image[..., i] = 251
    png = plot_augmentation_examples([("a", images)])
    shown = [area(png, colour) for colour in ("#fb0000", "#00fb00", "#0000fb")]
    assert min(shown) > (DPI * 1.2) ** 2
    assert max(shown) - min(shown) < 0.02 * max(shown)
    assert 0 < area(png, BLUE) < area(png, SKY)


@pytest.mark.parametrize(("rows", "n"), [(1, 1), (3, 4), (12, 9)])
def test_examples_grow_with_rows_and_copies(rows, n):
    width, height = size_of(plot_augmentation_examples(copies(["a"] * rows, n)))
    assert max(4.59, 1.3 * (n + 1)) * DPI < width < max(4.7, 1.37 * (n + 1) + 0.7) * DPI
    assert 1.6 * rows * DPI < height < (1.7 * rows + 0.5) * DPI


def test_rows_may_differ_in_length_and_be_without_copies():
    rows = [copies(["many"], 4)[0], copies(["none"], 0)[0], ("no image", [])]
    assert size_of(plot_augmentation_examples(rows))[0] == size_of(plot_augmentation_examples(rows[:1]))[0]


def test_no_examples_are_a_small_figure():
    width, height = size_of(plot_augmentation_examples([]))
    assert 1 < width / DPI < 3
    assert height / DPI < 0.6


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_a_comparison_is_nine_inches_wide_and_grows_with_its_models(n):
    results = {f"inception_v3_transfer_augmented_{i}": metrics(0.4 + 0.02 * i) for i in range(n)}
    width, height = size_of(plot_model_comparison(results))
    assert width == 9 * DPI
    assert height == pytest.approx((0.34 * n + 1) * DPI, abs=1)


def test_a_comparison_shows_the_best_on_top_whatever_the_order():
    results = {"a": metrics(0.5), "b": metrics(0.9), "c": metrics(0.7)}
    reversed_ = dict(reversed(results.items()))
    assert plot_model_comparison(reversed_) == plot_model_comparison(results)
    with Image.open(io.BytesIO(plot_model_comparison(results))) as image:
        pixels = np.asarray(image.convert("RGB"))
    rows = np.flatnonzero((pixels == [0, 0x72, 0xB2]).all(axis=-1).any(axis=1))
    assert rows.max() < len(pixels) / 2  # blue is the best, here in both panels


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from([{}, {"low": None, "high": None}, "around"])),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=12, deadline=None)
def test_any_metrics_can_be_compared(values):
    def interval(value, kind):
        return {"low": max(value - 0.1, 0), "high": min(value + 0.1, 1)} if kind == "around" else kind

    results = {
        f"model {i}": {"accuracy": a, "f1_macro": f, "interval_95": {"accuracy": interval(a, k)} if k else {}}
        for i, (a, f, k) in enumerate(values)
    }
    size_of(plot_model_comparison(results))


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, "no models to compare"),
        ({"one": metrics(0.5), "two": {"accuracy": 0.5}}, "'two' cannot be compared: its metrics lack f1_macro"),
        ({"one": {"accuracy": None}}, "lack accuracy and f1_macro"),
    ],
)
def test_models_that_cannot_be_compared_are_named(results, message):
    with pytest.raises(EvaluationError, match=message):
        plot_model_comparison(results)
