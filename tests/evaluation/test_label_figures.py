import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.calibration import plot_calibration
from art_pipeline.evaluation.figures.canvas import BLUE, DPI, VERMILION
from art_pipeline.evaluation.figures.class_counts import count_labels, plot_label_distribution
from art_pipeline.evaluation.figures.class_examples import plot_class_examples
from art_pipeline.evaluation.figures.label_examples import plot_label_examples
from art_pipeline.evaluation.figures.label_matrix import plot_label_matrix
from art_pipeline.evaluation.figures.labels import plot_labels
from art_pipeline.evaluation.figures.model_comparison import plot_model_comparison
from art_pipeline.evaluation.figures.precision_recall import plot_precision_recall
from art_pipeline.evaluation.kinds import kind_of_metrics

AWKWARD = ["$x^2 & <script>", "two\nlines", "名前", "Sculpture and Decorative Arts of the West", "%s {} \\"]


def predictions(names="abc", n=24, seed=0, true=None, probabilities=None, thresholds=0.5):
    """A multi-label table; by default, with noise and some images without labels."""
    rng = np.random.default_rng(seed)
    names = list(names)
    true = rng.random((n, len(names))) < 0.4 if true is None else np.array(true, dtype=bool)
    if probabilities is None:
        probabilities = np.clip(true * 0.5 + rng.random(true.shape) * 0.5, 0, 1)
    table = pd.DataFrame({"object_id": np.arange(len(true)) + 100})
    table["label"] = ["|".join(sorted(np.array(names, dtype=object)[row])) for row in true]
    table = table.assign(split="test", origin="held_out")
    columns = {f"p:{name}": np.asarray(probabilities, dtype=float)[:, i] for i, name in enumerate(names)}
    columns |= {f"t:{name}": thresholds for name in names}
    return table.assign(min_labels=0, max_labels=len(names), **columns)


def painted(object_id):
    if object_id % 5 == 0:
        raise FileNotFoundError(object_id)
    return np.full((20 + object_id % 50, 40, 3), 200, dtype=np.uint8)


def split_column(table):
    return pd.Series(np.resize(["train", "validation", "test"], len(table)))


def label_flags(table, names):
    return pd.DataFrame({name: [name in text.split("|") for text in table["label"]] for name in names})


def size_of(png):
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert "Software" not in image.info
        return image.size


def area(png, colour):
    wanted = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    with Image.open(io.BytesIO(png)) as image:
        return int((np.asarray(image.convert("RGB")) == wanted).all(axis=-1).sum())


DRAWN = {
    "precision_recall": plot_precision_recall,
    "label_matrix": plot_label_matrix,
    "calibration": plot_calibration,
    "label_examples": lambda table: plot_label_examples(table, painted, n=3),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_predictions_give_the_same_bytes_in_any_order(name):
    table = predictions()
    assert DRAWN[name](table.sample(frac=1, random_state=1)) == DRAWN[name](table)


@pytest.mark.parametrize("name", DRAWN)
def test_awkward_names_are_drawn_as_they_are(name):
    size_of(DRAWN[name](predictions(AWKWARD)))


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("true", [np.zeros((3, 2)), np.ones((1, 1))])
def test_labels_that_no_image_has_and_labels_that_all_have_can_be_drawn(name, true):
    size_of(DRAWN[name](predictions("ab"[: true.shape[1]], true=true)))


@given(names=st.lists(st.text(st.characters(exclude_characters="|"), min_size=1, max_size=30), min_size=1, unique=True))
@settings(max_examples=4, deadline=None)
def test_any_label_can_be_drawn(names):
    size_of(plot_label_examples(predictions(names[:4], n=6), painted, n=2))


def test_panels_show_all_labels_up_to_24_and_then_the_best_and_the_worst():
    width, of_24 = size_of(plot_precision_recall(predictions([f"label {i:02}" for i in range(24)], n=12)))
    same_width, of_40 = size_of(plot_precision_recall(predictions([f"label {i:02}" for i in range(40)], n=12)))
    assert width == same_width
    assert 0 < of_40 - of_24 < DPI  # one more title


def test_a_label_matrix_is_blue_where_labels_are_found_and_vermilion_where_they_are_wrong():
    true = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    right = plot_label_matrix(predictions("ab", true=true, probabilities=true))
    wrong = plot_label_matrix(predictions("ab", true=true, probabilities=1 - true))
    blue, vermilion = "#003f66", "#7d3600"  # all of a row
    assert area(right, blue) > 10 * area(wrong, blue)
    assert area(wrong, vermilion) > 10 * area(right, vermilion)


def test_a_label_matrix_is_grey_where_both_labels_apply():
    both = np.ones((4, 2))
    drawn = plot_label_matrix(predictions("ab", true=both, probabilities=both))
    assert area(drawn, "#4a5158") > 10 * area(drawn, "#7d3600")


def test_examples_are_framed_in_blue_only_where_all_labels_are_right():
    true = np.array([[1, 0], [0, 1]])
    right, wrong = (
        plot_label_examples(predictions("ab", true=true, probabilities=p), painted) for p in (true, 1 - true)
    )
    assert area(right, VERMILION) < area(wrong, VERMILION)
    assert area(right, BLUE) > area(wrong, BLUE)


def test_calibration_of_both_kinds_has_the_same_size():
    multiclass = pd.DataFrame({"object_id": [1, 2], "label": ["a", "b"], "p:a": [0.9, 0.2], "p:b": [0.1, 0.8]})
    multiclass = multiclass.assign(split="test", origin="held_out")
    assert size_of(plot_calibration(multiclass)) == size_of(plot_calibration(predictions()))


def test_labels_are_drawn_from_the_table_of_labels():
    labels = pd.DataFrame({"class": AWKWARD, "support": [5, 0, 3, 9, 1], "average_precision": [1, np.nan, 0, 0.5, 0.2]})
    first = plot_labels(labels, 20)
    assert plot_labels(labels.sample(frac=1, random_state=0), 20) == first
    _, height = size_of(first)
    _, taller = size_of(plot_labels(pd.concat([labels, labels]), 20))
    assert height < taller


def test_labels_without_a_column_or_a_row_are_refused():
    with pytest.raises(EvaluationError, match="has no column 'support'"):
        plot_labels(pd.DataFrame({"class": ["a"], "average_precision": [1.0]}), 1)
    with pytest.raises(EvaluationError, match="no labels to plot"):
        plot_labels(pd.DataFrame({"class": [], "support": [], "average_precision": []}), 1)


def test_the_distribution_counts_an_image_once_for_each_of_its_labels():
    table = predictions("ab", true=[[1, 1], [1, 0], [0, 0]])
    counts = count_labels(label_flags(table, "ab"), split_column(table))
    assert counts.to_dict("index") == {
        "a": {"train": 1, "validation": 1, "test": 0},
        "b": {"train": 1, "validation": 0, "test": 0},
    }


@pytest.mark.parametrize("names", [AWKWARD, ["a"]])
def test_a_distribution_of_labels_can_be_drawn(names):
    table = predictions(names)
    size_of(plot_label_distribution(label_flags(table, names), split_column(table)))


def test_a_distribution_without_labels_is_refused():
    with pytest.raises(EvaluationError, match="no classes to plot"):
        plot_label_distribution(pd.DataFrame(index=[0]), pd.Series(["test"]))


def test_models_of_a_multilabel_task_are_compared_by_f2():
    metrics = {"f2_samples": 0.6, "average_precision_macro": 0.4}
    assert kind_of_metrics(metrics) == "multilabel"
    size_of(plot_model_comparison({"a": metrics, "b": metrics}))
    with pytest.raises(EvaluationError, match="'b' cannot be compared: its metrics lack average_precision_macro"):
        plot_model_comparison({"a": metrics, "b": {"f2_samples": 0.5}})


def classes(k, n=40, seed=0):
    rng = np.random.default_rng(seed)
    names = [f"class {i}" for i in range(k)]
    table = pd.DataFrame({"object_id": np.arange(n) + 100, "label": [names[i % k] for i in range(n)]})
    probabilities = rng.dirichlet(np.ones(k), n)
    columns = {f"p:{name}": probabilities[:, i] for i, name in enumerate(names)}
    return table.assign(split="test", origin="held_out", **columns)


@pytest.mark.parametrize(("k", "rows"), [(1, 1), (3, 2), (7, 6), (20, 6)])
def test_class_examples_have_up_to_three_best_and_three_worst_classes(k, rows):
    _, height = size_of(plot_class_examples(classes(k), painted, n=1))
    titles = 0.36 * (1 if k == 1 else 2) + 0.3
    assert height / DPI == pytest.approx(titles + rows * 1.79, abs=0.02)


def test_class_examples_are_the_same_in_any_order_of_the_table():
    table = classes(4)
    assert plot_class_examples(table.sample(frac=1, random_state=3), painted) == plot_class_examples(table, painted)


@pytest.mark.parametrize("draw", [plot_label_examples, plot_class_examples])
def test_examples_need_at_least_one_per_row(draw):
    with pytest.raises(EvaluationError, match="ask for at least 1"):
        draw(predictions(), painted, n=0)
