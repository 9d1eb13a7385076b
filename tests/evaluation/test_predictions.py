import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation import predictions as tables
from art_pipeline.evaluation.label_thresholds import LabelThresholds, ThresholdOptions
from art_pipeline.evaluation.predictions import (
    class_columns,
    index_rows,
    is_multilabel,
    label_rows,
    label_thresholds,
    make_predictions,
    mean_predictions,
    split_predictions,
)
from art_pipeline.tasks.label_sets import label_matrix

SEEDS = st.integers(0, 2**32 - 1)
NAMES = st.lists(st.text(st.characters(exclude_characters="|"), min_size=1, max_size=12), min_size=1, max_size=7)
CLASSES = NAMES.map(lambda names: list(dict.fromkeys(names)))
SPLITS = ["train", "validation", "test"]
ORIGINS = ["held_out", "out_of_fold", "resubstitution"]


def manifest(ids, labels, split="test"):
    return pd.DataFrame({"object_id": ids, "label": pd.Series(list(labels), dtype=object), "split": split})


def table(**changes):
    """Three test images, two classes, and one defect."""
    columns = {
        "object_id": [3, 1, 2],
        "label": ["a", "b", "a"],
        "split": ["test"] * 3,
        "origin": ["held_out"] * 3,
        "p:a": [0.9, 0.2, 0.5],
        "p:b": [0.1, 0.8, 0.5],
    }
    return pd.DataFrame({name: value for name, value in (columns | changes).items() if value is not None})


def label_table(**changes):
    """Three test images, two labels, and one defect."""
    limits = {"min_labels": [0] * 3, "max_labels": [2] * 3}
    columns = {"label": ["a|b", "", "b"], "p:a": [0.9, 0.2, 0.5], "t:a": [0.5] * 3, "t:b": [0.1] * 3, **limits}
    return table(**(columns | changes))


def random_rows(rng, n, classes, joined=False):
    """Rows of a manifest with origins that are allowed in their splits, and labels of either kind."""
    names = np.array(classes, dtype=object)
    sets = rng.random((n, len(names))) < 0.4
    labels = ["|".join(sorted(names[row])) for row in sets] if joined else rng.choice(names, n)
    rows = manifest(rng.choice(1000, n, replace=False), labels, rng.choice(SPLITS, n))
    rows.loc[0, "split"] = "test"
    return rows, np.where(rows["split"] == "test", "held_out", rng.choice(ORIGINS, n))


@settings(deadline=None, max_examples=30)
@given(CLASSES, SEEDS, st.booleans())
def test_a_table_holds_what_it_was_made_of(classes, seed, joined):
    rng = np.random.default_rng(seed)
    rows, origins = random_rows(rng, 6, classes, joined)
    probabilities = rng.dirichlet(np.ones(len(classes)), 6)
    thresholds = rng.random(len(classes)) if joined else None
    made = make_predictions(rows, probabilities, classes, origins=origins, thresholds=thresholds)
    assert is_multilabel(made) == joined
    assert made["object_id"].is_monotonic_increasing
    order, ranked = np.argsort(rows["object_id"]), sorted(range(len(classes)), key=classes.__getitem__)
    labels, taken, names = split_predictions(made)
    assert names == sorted(classes)
    assert list(labels) == list(rows["label"].iloc[order])
    assert made["split"].tolist() == rows["split"].iloc[order].tolist()
    assert made["origin"].tolist() == origins[order].tolist()
    np.testing.assert_allclose(taken, probabilities[order][:, ranked], rtol=1e-12)
    if joined:
        np.testing.assert_array_equal(label_thresholds(made).values, thresholds[ranked])


@settings(deadline=None, max_examples=30)
@given(CLASSES, SEEDS, st.booleans())
def test_neither_the_order_of_objects_nor_of_classes_matters(classes, seed, joined):
    rng = np.random.default_rng(seed)
    n, k = 5, len(classes)
    rows, origins = random_rows(rng, n, classes, joined)
    probabilities, thresholds = rng.dirichlet(np.ones(k), n), rng.random(k)
    order, columns = rng.permutation(n), rng.permutation(k)
    one = make_predictions(rows, probabilities, classes, origins=origins, thresholds=thresholds if joined else None)
    two = make_predictions(
        rows.iloc[order],
        probabilities[order][:, columns],
        [classes[i] for i in columns],
        origins=origins[order],
        thresholds=thresholds[columns] if joined else None,
    )
    pd.testing.assert_frame_equal(one, two)  # to rounding: the sums run in another order


@settings(deadline=None, max_examples=30)
@given(CLASSES, SEEDS)
def test_results_and_choices_never_share_a_row(classes, seed):
    rng = np.random.default_rng(seed)
    rows, origins = random_rows(rng, 12, classes)
    made = make_predictions(rows, rng.dirichlet(np.ones(len(classes)), 12), classes, origins=origins)
    test, choosing = tables.test_rows(made), tables.choosing_rows(made)
    assert set(test["split"]) == {"test"}
    assert "test" not in set(choosing["split"])
    assert "resubstitution" not in set(choosing["origin"])
    rest = made.drop(index=test.index.union(choosing.index))
    assert set(rest["origin"]) <= {"resubstitution"}
    assert index_rows(made).object_ids.tolist() == test["object_id"].tolist()
    assert index_rows(made, "choosing").object_ids.tolist() == choosing["object_id"].tolist()


def test_a_float32_softmax_is_accepted_and_sums_to_one_in_float64():
    logits = np.random.default_rng(0).normal(size=(200, 50)).astype(np.float32)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = [f"class {i}" for i in range(50)]
    made = make_predictions(manifest(np.arange(200), ["class 1"] * 200), softmax, classes, origins="held_out")
    assert made[class_columns(classes)].dtypes.eq(np.float64).all()
    np.testing.assert_allclose(made[class_columns(classes)].sum(axis=1), 1, rtol=1e-14)


def test_probabilities_of_labels_are_kept_as_they_are():
    made = make_predictions(manifest([1], ["a"]), [[0.5, 0.4999]], ["a", "b"], origins="held_out", thresholds=[0, 1])
    assert made[["p:a", "p:b"]].iloc[0].tolist() == [0.5, 0.4999]


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


def test_labels_are_predicted_by_the_thresholds_of_the_table():
    rows = label_rows(label_table(label=["a|b", "", "aa"]))
    assert rows.labels == ("a", "aa", "b")
    assert rows.true.tolist() == [[False, False, False], [False, True, False], [True, False, True]]
    assert rows.predicted.tolist() == [[False, False, True], [True, False, True], [True, False, True]]
    assert np.isnan(rows.thresholds.values[1])


def test_limits_of_the_number_of_labels_are_part_of_the_table():
    limited = LabelThresholds(("a", "b"), np.array([0.5, 0.5]), min_labels=1, max_labels=1)
    made = make_predictions(
        manifest([1, 2], ["", ""]), [[0.2, 0.1], [0.7, 0.9]], ["a", "b"], origins="held_out", thresholds=limited
    )
    assert label_rows(made).predicted.tolist() == [[True, False], [False, True]]
    assert label_thresholds(made) is not limited
    assert (label_thresholds(made).min_labels, label_thresholds(made).max_labels) == (1, 1)


def test_how_labels_are_decided_is_part_of_the_table():
    decided = LabelThresholds(("a", "b"), np.array([0.9, 0.9]), decision="expected_f2")
    rows, probabilities = manifest([1, 2], ["", ""]), [[0.05, 0.1], [0.7, 0.6]]
    made = make_predictions(rows, probabilities, ["a", "b"], origins="held_out", thresholds=decided)
    assert label_rows(made).predicted.tolist() == [[False, False], [True, True]]
    assert label_rows(made.drop(columns="decision")).predicted.tolist() == [[False, False], [False, False]]
    assert label_thresholds(mean_predictions([made, made])).decision == "expected_f2"


def test_no_rows_to_choose_on_are_an_empty_table():
    assert len(index_rows(table(), "choosing").true) == 0
    assert label_rows(label_table(), "choosing").true.shape == (0, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": None}, "no column 'label'"),
        ({"split": None}, "no column 'split': predict again"),
        ({"object_id": None}, "no column 'object_id'"),
        ({"p:a": None, "p:b": None}, "no probabilities: add one column 'p:<class>'"),
        ({"object_id": [1, 1, 2]}, "several rows for object 1"),
        ({"object_id": [1.0, 2.0, 3.0]}, "object_id is float64, not integer"),
        ({"label": ["a", None, "b"]}, "no label .* for object 1"),
        ({"split": ["test", "tset", "test"]}, "split is 'tset' for object 1: use train, validation, test"),
        ({"origin": ["held_out", "seen", "held_out"]}, "origin is 'seen' for object 1: use held_out"),
        ({"origin": ["held_out", "resubstitution", "held_out"]}, "trained on test images: .* for object 1"),
        ({"p:a": [0.9, np.nan, 0.5]}, "NaN or infinite for object 1"),
        ({"p:a": [0.9, -0.2, 0.5], "p:b": [0.1, 1.2, 0.5]}, "outside 0..1 for object 1"),
        ({"p:a": [0.9, 0.1, 0.5]}, r"do not sum to 1 for object 1 \(the sum of the first is 0.9\)"),
        ({"p:a": ["x", "y", "z"]}, "must be floats"),
    ],
)
def test_a_defect_is_named(changes, message):
    with pytest.raises(EvaluationError, match=message):
        split_predictions(table(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"t:a": None}, "thresholds are for other labels than the probabilities: a"),
        ({"t:c": [0.5] * 3}, "thresholds are for other labels than the probabilities: c"),
        ({"t:a": [0.5, 0.4, 0.5]}, "'t:a' is not the same in every row"),
        ({"t:a": [1.5] * 3}, r"Thresholds are outside 0\.\.1"),
        ({"t:a": [np.nan] * 3}, "'t:a' is not the same in every row"),
        ({"max_labels": None}, "no column 'max_labels'"),
        ({"min_labels": [3] * 3}, "labels per image are 3 to 2"),
        ({"decision": ["guess"] * 3}, "decision is 'guess': use thresholds or expected_f2"),
        ({"decision": ["thresholds", "expected_f2", "thresholds"]}, "'decision' is not the same in every row"),
        ({"p:a|b": [0.1] * 3, "t:a|b": [0.1] * 3}, r"label 'a\|b' contains '\|'"),
        ({"p:a": [0.9, 1.2, 0.5]}, "outside 0..1 for object 1"),
    ],
)
def test_a_defect_of_a_multi_label_table_is_named(changes, message):
    with pytest.raises(EvaluationError, match=message):
        split_predictions(label_table(**changes))


def test_each_kind_is_read_by_its_own_function():
    with pytest.raises(EvaluationError, match=r"multi-label .* not multi-class"):
        index_rows(label_table())
    with pytest.raises(EvaluationError, match=r"multi-class .* not multi-label"):
        label_rows(table())


def test_an_empty_table_is_refused():
    with pytest.raises(EvaluationError, match="at least one test image"):
        split_predictions(table().iloc[:0])


def test_a_table_without_test_images_has_no_results():
    with pytest.raises(EvaluationError, match="no image of the test split"):
        index_rows(table(split=["train", "train", "validation"]))


def test_a_class_given_twice_is_refused():
    with pytest.raises(EvaluationError, match="two columns 'p:a'"):
        make_predictions(manifest([1], ["a"]), [[0.5, 0.5]], ["a", "a"], origins="held_out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probabilities": [[0.5, 0.5]]}, r"2 objects, 2 classes .* shape \(1, 2\)"),
        ({"origins": ["held_out"]}, "2 objects and 1 origins"),
        ({"thresholds": [0.5]}, "2 classes and 1 thresholds"),
        ({"thresholds": LabelThresholds(("a", "c"), np.array([0.5, 0.5]))}, "other labels than the predictions: b, c"),
        ({"probabilities": [[2.0, -3.0]] * 2}, r"outside 0\.\.1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(changes, message):
    arguments = {"probabilities": [[0.5, 0.5]] * 2, "classes": ["a", "b"], "origins": "held_out", "thresholds": None}
    with pytest.raises(EvaluationError, match=message):
        make_predictions(manifest([1, 2], ["a", "b"]), **(arguments | changes))


def test_many_bad_objects_are_counted_not_all_listed():
    bad = table().iloc[[0] * 9].assign(object_id=range(9))
    with pytest.raises(EvaluationError, match="object 0, 1, 2, 3, 4 and 4 more"):
        split_predictions(bad.assign(**{"p:b": 0.5}))


@settings(deadline=None, max_examples=20)
@given(CLASSES, st.integers(1, 4), SEEDS)
def test_a_mean_is_that_of_each_probability_whatever_the_order_of_rows(classes, models, seed):
    rng = np.random.default_rng(seed)
    rows, _ = random_rows(rng, 6, classes)
    said = rng.dirichlet(np.ones(len(classes)), (models, 6))
    each = [np.where(rows["split"] == "test", "held_out", rng.choice(ORIGINS, 6)) for _ in range(models)]
    made = [
        make_predictions(rows, one, classes, origins=origins).sample(frac=1, random_state=int(rng.integers(99)))
        for one, origins in zip(said, each, strict=True)
    ]
    worst = [max(origins, key=ORIGINS.index) for origins in zip(*each, strict=True)]
    expected = make_predictions(rows, said.mean(axis=0), classes, origins=worst)
    pd.testing.assert_frame_equal(mean_predictions(made), expected)


def test_a_mean_is_of_the_images_that_all_models_have(caplog):
    whole = table()
    with caplog.at_level("INFO"):
        mean = mean_predictions([whole, whole.iloc[1:]])
    pd.testing.assert_frame_equal(mean, mean_predictions([whole.iloc[1:]] * 2))
    assert "1 images are left out, which not all of the models have" in caplog.text


@pytest.mark.parametrize(
    "other",
    [
        {"object_id": [7, 8, 9]},
        {"label": ["a", "a", "a"]},
        {"split": ["test", "train", "test"]},
        {"p:b": None, "p:c": [0.1, 0.8, 0.5]},
    ],
)
def test_predictions_of_something_else_have_no_mean(other):
    with pytest.raises(EvaluationError, match=r"cannot be averaged|no common objects"):
        mean_predictions([table(), table(**other)])


def test_the_thresholds_of_a_mean_are_chosen_on_mean_probabilities():
    rows = manifest([1, 2, 3], ["a", "", "a"], ["validation", "validation", "test"])
    one, two = (
        make_predictions(rows, values, ["a"], origins="held_out", thresholds=[0.5])
        for values in ([[0.9], [0.6], [0.1]], [[0.7], [0.4], [0.1]])
    )
    mean = mean_predictions([one, two], ThresholdOptions(shrinkage=0))
    assert label_thresholds(mean).values.tolist() == [0.51]


def test_without_images_to_choose_on_thresholds_are_averaged():
    rows = manifest([1, 2], ["a", ""], ["train", "test"])
    origins = ["resubstitution", "held_out"]
    each = [
        make_predictions(
            rows, [[0.9], [0.6]], ["a"], origins=origins, thresholds=LabelThresholds(("a",), values, least)
        )
        for values, least in ((np.array([0.2]), 0), (np.array([0.4]), 1))
    ]
    found = label_thresholds(mean_predictions(each))
    assert found.values == pytest.approx([0.3]) and found.min_labels == 1


@given(st.lists(st.sets(st.sampled_from("abcd")), max_size=5))
def test_joined_labels_are_a_matrix(sets):
    found = label_matrix(["|".join(sorted(one)) for one in sets], list("abcde"))
    assert found.tolist() == [[name in one for name in "abcde"] for one in sets]


@pytest.mark.parametrize("rows", [tables.test_rows, tables.choosing_rows])
def test_a_table_of_an_earlier_version_is_an_error(rows):
    with pytest.raises(EvaluationError, match="no column 'split': predict again"):
        rows(pd.DataFrame({"object_id": [1], "label": ["a"], "p:a": [1.0]}))
