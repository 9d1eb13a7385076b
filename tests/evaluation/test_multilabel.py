import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.multilabel import compute_label_metrics, label_rows, per_label_table
from art_pipeline.evaluation.thresholds import LabelThresholds, choose_global, choose_per_label, f_beta


def table(true, probabilities):
    names = [f"label {j:02}" for j in range(true.shape[1])]
    labels = ["|".join(name for name, has in zip(names, row, strict=True) if has) for row in true]
    columns = {f"p:{name}": probabilities[:, j] for j, name in enumerate(names)}
    return pd.DataFrame({"object_id": np.arange(len(true)), "label": labels, **columns})


def half(k):
    return LabelThresholds(tuple(f"label {j:02}" for j in range(k)), np.full(k, 0.5))


@st.composite
def cases(draw):
    n, k, seed = draw(st.integers(3, 30)), draw(st.integers(1, 6)), draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    true = rng.random((n, k)) < draw(st.floats(0.1, 0.9))
    return true, rng.integers(0, 11, (n, k)) / 10  # with many ties


@given(cases())
@settings(deadline=None)
def test_metrics_are_those_of_scikit_learn(case):
    true, probabilities = case
    found = compute_label_metrics(table(true, probabilities), half(true.shape[1]), bootstrap=0)
    predicted = probabilities >= 0.5
    both = [j for j in range(true.shape[1]) if true[:, j].any()]
    mixed = [j for j in both if not true[:, j].all()]
    assert found["f2_samples"] == pytest.approx(
        reference.fbeta_score(true, predicted, beta=2, average="samples", zero_division=1.0)
        if true.shape[1] > 1
        else f_beta(true, predicted).mean()
    )
    assert found["f1_micro"] == pytest.approx(reference.f1_score(true.ravel(), predicted.ravel(), zero_division=0))
    if both:
        each = [reference.average_precision_score(true[:, j], probabilities[:, j]) for j in both]
        assert found["average_precision_macro"] == pytest.approx(np.mean(each))
        micro = reference.average_precision_score(true.ravel(), probabilities.ravel())
        assert found["average_precision_micro"] == pytest.approx(micro)
    if mixed:
        each = [reference.roc_auc_score(true[:, j], probabilities[:, j]) for j in mixed]
        assert found["roc_auc_macro"] == pytest.approx(np.mean(each))


@given(cases(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20)
def test_the_order_of_rows_is_no_matter(case, random):
    predictions = table(*case)
    random.shuffle(order := list(range(len(predictions))))
    k = case[0].shape[1]
    found = compute_label_metrics(predictions.iloc[order], half(k), bootstrap=20)
    assert found == compute_label_metrics(predictions, half(k), bootstrap=20)


@given(cases())
@settings(deadline=None, max_examples=20)
def test_an_interval_is_ordered_and_within_the_range(case):
    intervals = compute_label_metrics(table(*case), half(case[0].shape[1]), bootstrap=50)["interval_95"]
    for ends in intervals.values():
        if ends["low"] is not None:
            assert -1e-9 <= ends["low"] <= ends["high"] <= 1 + 1e-9


def test_a_perfect_model():
    true = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 0]], bool)
    found = compute_label_metrics(table(true, true * 0.8 + 0.1), half(3), bootstrap=50)
    ones = ("f2_samples", "f1_micro", "f1_macro", "average_precision_macro", "average_precision_micro", "roc_auc_macro")
    assert all(found[name] == 1 for name in (*ones, "roc_auc_micro", "ranking_average_precision"))
    assert found["labels_per_image"] == 1.5
    assert per_label_table(table(true, true * 0.8 + 0.1), half(3))["f1"].tolist() == [1, 1, 1]


def test_a_label_that_training_never_saw_has_probability_0():
    predictions = table(np.array([[1], [0]], bool), np.array([[0.9], [0.1]]))
    predictions.loc[1, "label"] = "new"
    rows = label_rows(predictions)
    assert rows.labels == ("label 00", "new") and rows.probabilities[:, 1].tolist() == [0, 0]
    assert compute_label_metrics(predictions, half(1), bootstrap=0)["f2_samples"] == 0.5


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1, np.inf])
def test_a_probability_that_is_none_is_refused(value):
    predictions = table(np.array([[1], [0]], bool), np.array([[0.9], [value]]))
    with pytest.raises(EvaluationError, match=r"(outside|NaN or infinite) .*for object 1"):
        label_rows(predictions)


@given(cases())
@settings(deadline=None)
def test_the_global_threshold_is_the_best_of_the_grid(case):
    true, probabilities = case
    chosen = choose_global(true, probabilities)
    best = max(f_beta(true, probabilities >= t).mean() for t in np.arange(1, 100) / 100)
    assert f_beta(true, probabilities >= chosen).mean() == pytest.approx(best)


@given(cases())
@settings(deadline=None)
def test_thresholds_of_rare_labels_shrink_to_the_global_one(case):
    true, probabilities = case
    overall, own = choose_per_label(true, probabilities, shrinkage=0)
    _, some = choose_per_label(true, probabilities, shrinkage=20)
    _, most = choose_per_label(true, probabilities, shrinkage=1e9)
    assert most == pytest.approx(overall, abs=1e-6)
    assert (np.abs(some - overall) <= np.abs(own - overall) + 1e-12).all()
    assert some[~true.any(axis=0)] == pytest.approx(overall)


@given(cases(), st.integers(0, 3), st.integers(0, 3))
@settings(deadline=None)
def test_an_image_has_no_fewer_and_no_more_labels_than_asked(case, least, more):
    true, probabilities = case
    k = true.shape[1]
    bounded = LabelThresholds(half(k).labels, np.full(k, 0.5), min_labels=least, max_labels=least + more)
    numbers = bounded.apply(probabilities, half(k).labels).sum(axis=1)
    assert (numbers >= min(least, k)).all() and (numbers <= least + more).all()


def test_thresholds_of_other_labels_are_refused():
    with pytest.raises(EvaluationError, match="other labels than the predictions: label 01, other"):
        half(2).apply(np.zeros((1, 2)), ("label 00", "other"))


def test_no_images_choose_no_threshold():
    with pytest.raises(EvaluationError, match="keep a validation split"):
        choose_global(np.zeros((0, 2), bool), np.zeros((0, 2)))
