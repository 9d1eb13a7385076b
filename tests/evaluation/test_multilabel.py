import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from art_pipeline.evaluation import multilabel
from art_pipeline.evaluation.bootstrap import resample_counts
from art_pipeline.evaluation.label_thresholds import LabelThresholds, choose_global, f_beta
from art_pipeline.evaluation.metrics import calibration_table, compute_metrics, confusion_table, per_class_table
from art_pipeline.evaluation.multilabel import global_threshold
from art_pipeline.evaluation.predictions import class_columns, known_classes, label_rows, make_predictions

FIXED = {"0.2": 0.2, "0.3": 0.3, "0.4": 0.4, "0.5": 0.5}


def names_of(k):
    return [f"label {j:02}" for j in range(k)]


def table(true, probabilities, thresholds=None, split="test", origins="held_out"):
    """Predictions with a threshold of 0.5 for each label, or with other ones."""
    names = np.array(names_of(true.shape[1]), dtype=object)
    labels = ["|".join(names[row]) for row in true]
    rows = pd.DataFrame({"object_id": np.arange(len(true)), "label": labels, "split": split})
    chosen = np.full(len(names), 0.5) if thresholds is None else thresholds
    return make_predictions(rows, probabilities, list(names), origins=origins, thresholds=chosen)


@st.composite
def cases(draw):
    n, k, seed = draw(st.integers(3, 30)), draw(st.integers(1, 6)), draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    true = rng.random((n, k)) < draw(st.floats(0.1, 0.9))
    return true, rng.integers(0, 11, (n, k)) / 10  # with many ties


def splits(n):
    """A third each of training images predicted out of fold or by resubstitution, and of test images."""
    return {
        "split": np.resize(["train", "train", "test"], n),
        "origins": np.resize(["out_of_fold", "resubstitution", "held_out"], n),
    }


@given(cases())
@settings(deadline=None)
def test_metrics_are_those_of_scikit_learn(case):
    true, probabilities = case
    found = compute_metrics(table(true, probabilities), bootstrap=0)
    predicted = probabilities >= 0.5
    both = [j for j in range(true.shape[1]) if true[:, j].any()]
    mixed = [j for j in both if not true[:, j].all()]
    assert found["f2_samples"] == pytest.approx(
        reference.fbeta_score(true, predicted, beta=2, average="samples", zero_division=1.0)
        if true.shape[1] > 1
        else f_beta(true, predicted).mean()
    )
    assert found["f2_samples_at"] == {
        name: pytest.approx(f_beta(true, probabilities >= value).mean()) for name, value in FIXED.items()
    }
    if both:
        for name in ("f1", "precision", "recall"):
            score = getattr(reference, f"{name}_score")
            assert found[f"{name}_micro"] == pytest.approx(score(true.ravel(), predicted.ravel(), zero_division=0))
            each = [score(true[:, j], predicted[:, j], zero_division=0) for j in both]
            assert found[f"{name}_macro"] == pytest.approx(np.mean(each))
        each = [reference.average_precision_score(true[:, j], probabilities[:, j]) for j in both]
        assert found["average_precision_macro"] == pytest.approx(np.mean(each))
        micro = reference.average_precision_score(true.ravel(), probabilities.ravel())
        assert found["average_precision_micro"] == pytest.approx(micro)
    if mixed:
        each = [reference.roc_auc_score(true[:, j], probabilities[:, j]) for j in mixed]
        assert found["roc_auc_macro"] == pytest.approx(np.mean(each))
        assert found["roc_auc_micro"] == pytest.approx(reference.roc_auc_score(true.ravel(), probabilities.ravel()))
    if true.any() and true.shape[1] > 1:
        labelled = true.any(axis=1)
        error = reference.coverage_error(true[labelled], probabilities[labelled])
        assert found["coverage_error"] == pytest.approx(error)


@given(cases(), st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_the_bootstraps_statistics_are_the_metrics_of_the_resampled_table(case, seed):
    """Each resample, written out as a table of its own, gives the numbers that were vectorised."""
    made = table(*case)
    rows, (counts,) = label_rows(made), resample_counts(len(made), 2, seed)
    found = multilabel._statistics(rows, multilabel._f2_of_images(rows, None), counts)
    for b in range(2):
        resampled = made.loc[np.repeat(np.arange(len(made)), counts[:, b].astype(int))]
        expected = compute_metrics(resampled.assign(object_id=np.arange(len(made))), bootstrap=0)
        for name in multilabel.WITH_INTERVAL:
            value = np.nan if expected[name] is None else expected[name]
            assert found[name][b] == pytest.approx(value, abs=1e-9, nan_ok=True), name


@given(cases(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20)
def test_the_order_of_rows_and_columns_changes_no_byte(case, random):
    made = table(*case, **splits(len(case[0])))
    random.shuffle(order := list(range(len(made))))
    other = made.iloc[order][made.columns[::-1]]
    assert json.dumps(compute_metrics(other, bootstrap=20)) == json.dumps(compute_metrics(made, bootstrap=20))
    pd.testing.assert_frame_equal(per_class_table(other), per_class_table(made))
    pd.testing.assert_frame_equal(confusion_table(other), confusion_table(made))


@given(cases())
@settings(deadline=None, max_examples=20)
def test_an_interval_is_ordered_and_within_the_range(case):
    intervals = compute_metrics(table(*case), bootstrap=50)["interval_95"]
    assert intervals.keys() == set(multilabel.WITH_INTERVAL)
    for ends in intervals.values():
        if ends["low"] is not None:
            assert -1e-9 <= ends["low"] <= ends["high"] <= 1 + 1e-9


@given(cases())
@settings(deadline=None, max_examples=30)
def test_macro_averages_are_the_means_of_the_table_of_labels(case):
    made = table(*case)
    whole, labels, counts = compute_metrics(made, bootstrap=0), per_class_table(made), confusion_table(made)
    for column in ("precision", "recall", "f1", "average_precision", "roc_auc"):
        expected = np.nan if whole[f"{column}_macro"] is None else whole[f"{column}_macro"]
        assert labels[column].mean() == pytest.approx(expected, nan_ok=True), column
    assert labels["support"].tolist() == (counts["true_positive"] + counts["false_negative"]).tolist()
    assert labels["predicted"].tolist() == (counts["true_positive"] + counts["false_positive"]).tolist()
    assert counts.sum(axis=1).eq(len(made)).all()
    assert calibration_table(made)["n"].sum() == case[0].size


@given(cases())
@settings(deadline=None, max_examples=30)
def test_results_are_those_of_the_test_split_and_the_threshold_of_the_others(case):
    true, probabilities = case
    made = table(true, probabilities, **splits(len(true)))
    test, choosing = np.arange(len(true)) % 3 == 2, np.arange(len(true)) % 3 == 0
    found, alone = compute_metrics(made, bootstrap=5), compute_metrics(made[test], bootstrap=5)
    assert found["global_threshold"] == choose_global(true[choosing], probabilities[choosing])
    expected = f_beta(true[test], probabilities[test] >= found["global_threshold"]).mean()
    assert found["f2_samples_global"] == pytest.approx(expected)
    for name in ("global_threshold", "f2_samples_global", "interval_95"):
        found.pop(name), alone.pop(name)
    assert found == alone
    pd.testing.assert_frame_equal(per_class_table(made), per_class_table(made[test]))


@given(cases(), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_test_images_do_not_change_the_global_threshold(case, seed):
    made, rng = table(*case, **splits(len(case[0]))), np.random.default_rng(seed)
    test, columns = (made["split"] == "test").to_numpy(), class_columns(known_classes(made))
    other = made.copy()
    other.loc[test, columns] = rng.random((test.sum(), len(columns)))
    other.loc[test, "label"] = rng.permutation(made["label"].to_numpy())[: test.sum()]
    assert global_threshold(other) == global_threshold(made)


def test_without_images_to_choose_on_there_is_no_global_threshold():
    made = table(np.array([[1], [0]], bool), np.array([[0.9], [0.1]]))
    found = json.loads(json.dumps(compute_metrics(made, bootstrap=5), allow_nan=False))
    assert found["global_threshold"] is None and found["f2_samples_global"] is None
    assert found["interval_95"]["f2_samples_global"] == {"low": None, "high": None}
    assert found["f2_samples"] == 1


def test_a_perfect_model():
    true = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 0]], bool)
    made = table(true, true * 0.8 + 0.1)
    found = compute_metrics(made, bootstrap=50)
    ones = ("f2_samples", "f1_micro", "f1_macro", "average_precision_macro", "average_precision_micro", "roc_auc_macro")
    assert all(found[name] == 1 for name in (*ones, "roc_auc_micro", "ranking_average_precision"))
    assert found["labels_per_image"] == found["predicted_per_image"] == 1.5
    assert per_class_table(made)[["f1", "f2"]].eq(1).all(axis=None)


def test_each_label_has_its_threshold():
    true, probabilities = np.array([[1, 1], [0, 1]], bool), np.array([[0.4, 0.4], [0.2, 0.2]])
    made = table(true, probabilities, thresholds=[0.3, 0.1])
    assert compute_metrics(made, bootstrap=0)["f2_samples"] == 1
    assert per_class_table(made)["threshold"].tolist() == [0.3, 0.1]


def test_labels_by_expected_f2_have_no_threshold():
    model = LabelThresholds(("a", "b"), np.full(2, 0.9), decision="expected_f2")
    rows = pd.DataFrame({"object_id": [1, 2], "label": ["a", "b"], "split": "test"})
    made = make_predictions(rows, [[0.6, 0.1], [0.1, 0.6]], ["a", "b"], origins="held_out", thresholds=model)
    assert per_class_table(made)["threshold"].isna().all()
    assert compute_metrics(made, bootstrap=0)["f2_samples"] == 1


def test_a_label_that_training_never_saw_has_probability_0():
    made = table(np.array([[1], [0]], bool), np.array([[0.9], [0.1]]))
    made.loc[1, "label"] = "new"
    assert compute_metrics(made, bootstrap=0)["f2_samples"] == 0.5
    row = per_class_table(made).set_index("class").loc["new"]
    assert (row["support"], row["predicted"], row["recall"], row["roc_auc"]) == (1, 0, 0, 0.5)
    assert np.isnan(row["threshold"])


def test_a_label_without_test_images_enters_no_average():
    made = table(np.array([[1, 0], [0, 0]], bool), np.array([[0.9, 0.9], [0.1, 0.1]]))
    found = compute_metrics(made, bootstrap=0)
    assert found["f1_macro"] == found["average_precision_macro"] == 1
    assert found["f1_micro"] < 1
    row = per_class_table(made).iloc[1]
    assert (row["support"], row["predicted"]) == (0, 1)
    assert row[["precision", "recall", "f1", "f2", "average_precision", "roc_auc"]].isna().all()


def test_no_labels_at_all_are_null_in_json():
    made = table(np.zeros((2, 2), bool), np.full((2, 2), 0.1))
    found = json.loads(json.dumps(compute_metrics(made, bootstrap=5), allow_nan=False))
    assert (found["f2_samples"], found["f1_micro"], found["coverage_error"]) == (1, None, None)
