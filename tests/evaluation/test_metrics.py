import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation import metrics
from art_pipeline.evaluation.bootstrap import resample_counts
from art_pipeline.evaluation.metrics import (
    calibration_table,
    compute_metrics,
    confusion_table,
    expected_calibration_error,
    per_class_table,
)
from art_pipeline.evaluation.predictions import class_columns, index_rows, make_predictions, split_predictions

SEEDS = st.integers(0, 2**32 - 1)
MEASURES = [
    "accuracy",
    "top_5_accuracy",
    *(f"{name}_{mean}" for mean in ("macro", "weighted") for name in ("precision", "recall", "f1")),
    "roc_auc_ovr",
    "log_loss",
    "expected_calibration_error",
]


def predictions(ids, labels, probabilities, classes):
    """Predictions of test images."""
    rows = pd.DataFrame({"object_id": ids, "label": labels, "split": "test"})
    return make_predictions(rows, probabilities, classes, origins="held_out")


def random_predictions(seed, n=60, k=7, skill=1.5, extra=()):
    """Objects of k classes, guessed with some skill; labels of `extra` are unknown to the model."""
    rng = np.random.default_rng(seed)
    classes = [f"class {i:02d}" for i in range(k)]
    true = rng.integers(0, k, n)
    scores = rng.normal(size=(n, k))
    scores[np.arange(n), true] += skill
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.array(classes, dtype=object)[true]
    labels[: len(extra)] = extra
    return predictions(rng.permutation(10 * n)[:n], labels, probabilities, classes)


def predicted(table):
    _, probabilities, classes = split_predictions(table)
    return np.array(classes, dtype=object)[probabilities.argmax(axis=1)]


@given(SEEDS, st.integers(6, 9), st.integers(80, 150))
@settings(max_examples=25, deadline=None)
def test_point_estimates_are_scikit_learns(seed, k, n):
    table = random_predictions(seed, n, k)
    labels, probabilities, classes = split_predictions(table)
    if len(set(labels)) < k:
        return  # scikit-learn's AUC wants all classes
    got, guesses = compute_metrics(table, bootstrap=0), predicted(table)
    assert got["n"] == n
    assert got["accuracy"] == pytest.approx(sk.accuracy_score(labels, guesses))
    assert got["top_5_accuracy"] == pytest.approx(sk.top_k_accuracy_score(labels, probabilities, k=5))
    for mean in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            score = getattr(sk, f"{name}_score")(labels, guesses, average=mean, zero_division=0)
            assert got[f"{name}_{mean}"] == pytest.approx(score)
    assert got["roc_auc_ovr"] == pytest.approx(sk.roc_auc_score(labels, probabilities, multi_class="ovr"))
    assert got["log_loss"] == pytest.approx(sk.log_loss(labels, probabilities, labels=classes))


@given(SEEDS, st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_bootstraps_statistics_are_the_metrics_of_the_resampled_table(seed, ties):
    """Each resample, written out as a table of its own, gives the numbers that were vectorised."""
    table = random_predictions(seed, 40, 5, extra=("unknown", "unknown"))
    if ties:
        columns = class_columns([f"class {i:02d}" for i in range(5)])
        coarse = np.floor(table[columns] * 4) + 0.5
        table[columns] = coarse.div(coarse.sum(axis=1), axis=0)
    rows = index_rows(table)
    (counts,) = resample_counts(len(table), 3, seed)
    got = metrics._statistics(rows, counts)
    ordered = table.sort_values("object_id", ignore_index=True)
    for b in range(3):
        resampled = ordered.loc[np.repeat(np.arange(len(ordered)), counts[:, b].astype(int))]
        expected = compute_metrics(resampled.assign(object_id=np.arange(len(resampled))), bootstrap=0)
        for name in metrics.WITH_INTERVAL:
            assert got[name][b] == pytest.approx(expected[name], abs=1e-9), name


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_changes_no_byte(seed):
    table = random_predictions(seed)
    shuffled = table.sample(frac=1, random_state=seed % 2**31)[table.columns[::-1]]
    assert json.dumps(compute_metrics(table, bootstrap=20)) == json.dumps(compute_metrics(shuffled, bootstrap=20))
    pd.testing.assert_frame_equal(per_class_table(table), per_class_table(shuffled))
    pd.testing.assert_frame_equal(confusion_table(table), confusion_table(shuffled))


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_the_names_of_classes_do_not_matter(seed):
    table = random_predictions(seed)
    renamed = {f"class {i:02d}": f"name {(i * 3 + 2) % 7}" for i in range(7)}
    other = table.assign(label=table["label"].map(renamed)).rename(
        columns={f"p:{old}": f"p:{new}" for old, new in renamed.items()}
    )
    one, two = compute_metrics(table, bootstrap=30), compute_metrics(other, bootstrap=30)
    assert {name: two[name] for name in MEASURES} == pytest.approx({name: one[name] for name in MEASURES})
    for name in metrics.WITH_INTERVAL:
        assert two["interval_95"][name] == pytest.approx(one["interval_95"][name]), name


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_intervals_follow_the_seed_and_hold_the_estimate(seed):
    table = random_predictions(seed % 1000, n=150, k=5)
    one, two = (compute_metrics(table, bootstrap=200, seed=seed) for _ in range(2))
    assert one == two
    for name in ("accuracy", "top_5_accuracy", "recall_macro", "f1_macro", "roc_auc_ovr", "log_loss"):
        interval = one["interval_95"][name]
        assert interval["low"] <= one[name] <= interval["high"], name
    assert compute_metrics(table, bootstrap=200, seed=seed + 1)["interval_95"] != one["interval_95"]


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_macro_averages_are_the_means_of_the_class_table(seed):
    table = random_predictions(seed, n=20, k=9, extra=("unknown",))
    whole, classes = compute_metrics(table, bootstrap=0), per_class_table(table)
    for column, name in (("precision", "precision_macro"), ("recall", "recall_macro"), ("f1", "f1_macro")):
        assert classes[column].mean() == pytest.approx(whole[name])
    assert classes["roc_auc"].mean() == pytest.approx(whole["roc_auc_ovr"])
    confusion = confusion_table(table)
    assert classes["support"].tolist() == confusion.sum(axis=1).tolist()
    assert classes["predicted"].tolist() == confusion.sum(axis=0).tolist()
    assert np.trace(confusion) / len(table) == pytest.approx(whole["accuracy"])


def test_perfect_predictions():
    classes = list("abcdefg")
    table = predictions(np.arange(70), classes * 10, np.tile(np.eye(7), (10, 1)), classes)
    got = compute_metrics(table, bootstrap=50)
    assert {name: got[name] for name in MEASURES} == dict.fromkeys(MEASURES, 1.0) | dict.fromkeys(MEASURES[-2:], 0.0)
    assert got["interval_95"]["accuracy"] == {"low": 1.0, "high": 1.0}
    assert (per_class_table(table)["most_confused_with"] == "").all()
    assert expected_calibration_error(calibration_table(table)) == 0


def test_a_class_absent_from_training_counts_as_wrong_everywhere():
    table = predictions([1, 2, 3], ["a", "b", "new"], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], ["a", "b"])
    got = compute_metrics(table, bootstrap=0)
    assert got["accuracy"] == got["top_5_accuracy"] == got["recall_macro"] == pytest.approx(2 / 3)
    assert got["log_loss"] == pytest.approx(-np.log([0.9, 0.8, np.finfo(float).eps]).mean())
    assert got["roc_auc_ovr"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert confusion_table(table).loc["new"].to_dict() == {"a": 1, "b": 0, "new": 0}
    assert per_class_table(table).set_index("class").loc["new", "most_confused_with"] == "a"


def test_a_class_without_test_objects_enters_no_average():
    table = predictions([1, 2], ["a", "b"], [[0.8, 0.1, 0.1], [0.1, 0.3, 0.6]], ["a", "b", "unseen"])
    got = compute_metrics(table, bootstrap=0)
    assert got["precision_macro"] == got["recall_macro"] == got["f1_macro"] == 0.5
    row = per_class_table(table).set_index("class").loc["unseen"]
    assert (row["support"], row["predicted"]) == (0, 1)
    assert row[["precision", "recall", "f1", "roc_auc"]].isna().all()


def test_five_classes_or_fewer_are_all_in_the_top_five():
    assert compute_metrics(random_predictions(0, k=4), bootstrap=0)["top_5_accuracy"] == 1.0
    assert compute_metrics(random_predictions(0, k=6, skill=-3), bootstrap=0)["top_5_accuracy"] < 1.0


def test_ties_go_to_the_first_classes_by_name():
    table = predictions([1, 2], ["a", "g"], np.full((2, 7), 1 / 7), list("abcdefg"))
    got = compute_metrics(table, bootstrap=0)
    assert got["accuracy"] == got["top_5_accuracy"] == 0.5


def test_auc_of_a_single_class_is_null_in_json():
    table = predictions([1, 2], ["a", "a"], [[1.0], [1.0]], ["a"])
    got = json.loads(json.dumps(compute_metrics(table, bootstrap=5), allow_nan=False))
    assert (got["accuracy"], got["log_loss"], got["roc_auc_ovr"]) == (1.0, 0.0, None)
    assert got["interval_95"]["roc_auc_ovr"] == {"low": None, "high": None}


def test_the_most_frequent_mistake_is_named():
    rows = [[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]
    table = predictions(range(4), ["a"] * 4, rows, ["a", "b", "c"])
    assert per_class_table(table)["most_confused_with"].tolist() == ["b", "", ""]


def test_no_bootstrap_no_intervals():
    assert compute_metrics(random_predictions(0), bootstrap=0)["interval_95"] == {}


@pytest.mark.parametrize("bad", [{"bootstrap": -1}, {"seed": -1}])
def test_negative_options_are_refused(bad):
    with pytest.raises(EvaluationError, match="must be 0 or more"):
        compute_metrics(random_predictions(0), **bad)


def test_calibration_by_hand():
    """Confidences 0.5 (a bin's upper end: it belongs there) and 0.8, right half and all of the time."""
    rows = [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.8, 0.1, 0.1], [0.8, 0.1, 0.1]]
    table = predictions(range(4), ["a", "b", "a", "a"], rows, ["a", "b", "c"])
    bins = calibration_table(table)
    assert bins["n"].tolist() == [0, 0, 0, 0, 2, 0, 0, 2, 0, 0]
    assert bins.loc[4, ["confidence", "accuracy"]].tolist() == [0.5, 0.5]
    assert expected_calibration_error(bins) == pytest.approx((2 * 0 + 2 * 0.2) / 4)
    assert compute_metrics(table, bootstrap=0)["expected_calibration_error"] == pytest.approx(0.1)
