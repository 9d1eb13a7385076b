import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.predictions import (
    class_columns,
    index_rows,
    make_predictions,
    mean_predictions,
    split_predictions,
)

SEEDS = st.integers(0, 2**32 - 1)
NAMES = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=7, unique=True)


def table(**changes):
    """Three objects, two classes, and one defect."""
    columns = {
        "object_id": [3, 1, 2],
        "label": ["a", "b", "a"],
        "p:a": [0.9, 0.2, 0.5],
        "p:b": [0.1, 0.8, 0.5],
    }
    return pd.DataFrame({name: value for name, value in (columns | changes).items() if value is not None})


@settings(deadline=None, max_examples=30)
@given(NAMES, SEEDS)
def test_taking_apart_gives_what_was_put_in(classes, seed):
    rng = np.random.default_rng(seed)
    n = 6
    given_probabilities = rng.dirichlet(np.ones(len(classes)), n)
    labels = rng.choice(np.array(classes, dtype=object), n)
    ids = np.sort(rng.choice(1000, n, replace=False))
    made = make_predictions(ids, labels, given_probabilities, classes)
    taken_labels, probabilities, taken_classes = split_predictions(made)
    assert taken_classes == sorted(classes)
    assert list(taken_labels) == list(labels)
    np.testing.assert_allclose(
        probabilities, given_probabilities[:, np.argsort(np.array(classes, dtype=object))], rtol=1e-12
    )


@settings(deadline=None, max_examples=30)
@given(NAMES, SEEDS)
def test_neither_the_order_of_objects_nor_of_classes_matters(classes, seed):
    rng = np.random.default_rng(seed)
    n, k = 5, len(classes)
    ids, probabilities = rng.choice(1000, n, replace=False), rng.dirichlet(np.ones(k), n)
    labels = rng.choice(np.array(classes, dtype=object), n)
    rows, columns = rng.permutation(n), rng.permutation(k)
    one = make_predictions(ids, labels, probabilities, classes)
    shuffled = probabilities[rows][:, columns]
    two = make_predictions(ids[rows], labels[rows], shuffled, [classes[i] for i in columns])
    pd.testing.assert_frame_equal(one, two)  # to rounding: the sums run in another order


def test_a_float32_softmax_is_accepted_and_sums_to_one_in_float64():
    logits = np.random.default_rng(0).normal(size=(200, 50)).astype(np.float32)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = [f"class {i}" for i in range(50)]
    made = make_predictions(np.arange(200), ["class 1"] * 200, softmax, classes)
    assert made.dtypes[2:].eq(np.float64).all()
    np.testing.assert_allclose(made[class_columns(classes)].sum(axis=1), 1, rtol=1e-14)


def test_column_names_are_sorted_by_class():
    assert class_columns(["b", "a:x", "a"]) == ["p:a", "p:a:x", "p:b"]


def test_splitting_keeps_the_order_of_rows_and_indexing_sorts_it():
    labels, _, _ = split_predictions(table())
    assert list(labels) == ["a", "b", "a"]
    rows = index_rows(table())
    assert rows.object_ids.tolist() == [1, 2, 3]
    assert rows.true.tolist() == [1, 0, 0]
    assert rows.predicted.tolist() == [1, 0, 0]  # object 2 is a tie: the first class


def test_a_label_the_model_does_not_know_is_a_class_of_probability_zero():
    rows = index_rows(table(label=["a", "b", "aa"]))
    assert rows.classes == ["a", "aa", "b"]
    assert rows.probabilities[:, 1].tolist() == [0, 0, 0]
    assert rows.known.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": None}, "no column 'label'"),
        ({"object_id": None}, "no column 'object_id'"),
        ({"p:a": None, "p:b": None}, "no probabilities: add one column 'p:<class>'"),
        ({"object_id": [1, 1, 2]}, "several rows for object 1"),
        ({"object_id": [1.0, 2.0, 3.0]}, "object_id is float64, not integer"),
        ({"label": ["a", None, "b"]}, "no label .* for object 1"),
        ({"p:a": [0.9, np.nan, 0.5]}, "NaN or infinite for object 1"),
        ({"p:a": [0.9, -0.2, 0.5], "p:b": [0.1, 1.2, 0.5]}, "outside 0..1 for object 1"),
        ({"p:a": [0.9, 0.1, 0.5]}, r"do not sum to 1 for object 1 \(the sum of the first is 0.9\)"),
        ({"p:a": ["x", "y", "z"]}, "must be floats"),
    ],
)
def test_a_defect_is_named(changes, message):
    with pytest.raises(EvaluationError, match=message):
        split_predictions(table(**changes))


def test_an_empty_table_is_refused():
    with pytest.raises(EvaluationError, match="at least one test image"):
        split_predictions(table().iloc[:0])


def test_a_class_given_twice_is_refused():
    with pytest.raises(EvaluationError, match="two columns 'p:a'"):
        make_predictions([1], ["a"], [[0.5, 0.5]], ["a", "a"])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(EvaluationError, match=r"2 object ids, 1 labels, 2 classes .* shape \(1, 2\)"):
        make_predictions([1, 2], ["a"], [[0.5, 0.5]], ["a", "b"])


def test_scores_are_no_probabilities():
    with pytest.raises(EvaluationError, match=r"outside 0\.\.1"):
        make_predictions([1], ["a"], [[2.0, -3.0]], ["a", "b"])


def test_many_bad_objects_are_counted_not_all_listed():
    bad = pd.DataFrame({"object_id": range(9), "label": ["a"] * 9, "p:a": [0.5] * 9})
    with pytest.raises(EvaluationError, match="object 0, 1, 2, 3, 4 and 4 more"):
        split_predictions(bad)


@settings(deadline=None, max_examples=20)
@given(NAMES, st.integers(1, 4), SEEDS)
def test_a_mean_is_that_of_each_probability_whatever_the_order_of_rows(classes, models, seed):
    rng = np.random.default_rng(seed)
    ids, labels = rng.permutation(6), rng.choice(np.array(classes, dtype=object), 6)
    said = rng.dirichlet(np.ones(len(classes)), (models, 6))
    tables = [
        make_predictions(ids, labels, one, classes).sample(frac=1, random_state=int(rng.integers(99))) for one in said
    ]
    expected = make_predictions(ids, labels, said.mean(axis=0), classes).sort_values("object_id", ignore_index=True)
    pd.testing.assert_frame_equal(mean_predictions(tables), expected)


@pytest.mark.parametrize(
    "other", [{"object_id": [3, 1, 4]}, {"label": ["a", "a", "a"]}, {"p:b": None, "p:c": [0.1, 0.8, 0.5]}]
)
def test_predictions_of_something_else_have_no_mean(other):
    with pytest.raises(EvaluationError, match="different objects or classes cannot be averaged"):
        mean_predictions([table(), table(**other)])
