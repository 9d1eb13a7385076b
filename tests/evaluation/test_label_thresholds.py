from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.label_thresholds import (
    GRID,
    LabelThresholds,
    ThresholdOptions,
    choose_global,
    choose_per_label,
    choose_thresholds,
    f_beta,
)


def half(k):
    return LabelThresholds(tuple(f"label {j:02}" for j in range(k)), np.full(k, 0.5))


@st.composite
def cases(draw):
    n, k, seed = draw(st.integers(3, 30)), draw(st.integers(1, 6)), draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    true = rng.random((n, k)) < draw(st.floats(0.0, 0.9))
    return true, rng.integers(0, 101, (n, k)) / 100  # on the candidates themselves, and with ties


@given(cases(), st.sampled_from([0.5, 1.0, 2.0]))
@settings(deadline=None)
def test_the_global_threshold_is_the_best_of_the_grid(case, beta):
    true, probabilities = case
    scores = np.round([f_beta(true, probabilities >= t, beta).mean() for t in GRID], 12)
    assert choose_global(true, probabilities, beta) == GRID[scores.argmax()]


@given(cases(), st.sampled_from([0.5, 1.0, 2.0]))
@settings(deadline=None)
def test_no_change_of_one_own_threshold_is_better_than_the_global_one(case, beta):
    """The last label that is optimized is the best of the grid, given the others; none makes the global one worse."""
    true, probabilities = case
    overall, own = choose_per_label(true, probabilities, beta=beta, shrinkage=0)
    own = np.where(true.any(axis=0), own, overall)

    def score(thresholds):
        return f_beta(true, probabilities >= thresholds, beta).mean()

    if true.any(axis=0).all():
        assert score(own) >= score(overall) - 1e-7
        others = [score(np.append(own[:-1], t)) for t in GRID]
        assert score(own) >= max(others) - 1e-7


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
    assert own[~true.any(axis=0)] == pytest.approx(overall)


def test_own_thresholds_find_labels_of_other_scales():
    rng = np.random.default_rng(0)
    true = rng.random((300, 2)) < 0.3
    probabilities = np.where(true, [0.3, 0.9], [0.1, 0.6]) + rng.uniform(-0.05, 0.05, (300, 2))
    overall, own = choose_per_label(true, probabilities, shrinkage=0)
    assert f_beta(true, probabilities >= own).mean() == 1 > f_beta(true, probabilities >= overall).mean()


@given(cases(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20)
def test_neither_order_nor_repetition_of_images_matters(case, random):
    true, probabilities = case
    random.shuffle(order := list(range(len(true))) * 2)
    one, two = (
        choose_thresholds(true[rows], probabilities[rows], half(true.shape[1]).labels, ThresholdOptions(shrinkage=0))
        for rows in (slice(None), order)
    )
    np.testing.assert_array_equal(one.values, two.values)


@given(cases(), st.integers(0, 3), st.integers(0, 3))
@settings(deadline=None)
def test_an_image_has_no_fewer_and_no_more_labels_than_asked(case, least, more):
    true, probabilities = case
    k = true.shape[1]
    bounded = LabelThresholds(half(k).labels, np.full(k, 0.5), min_labels=least, max_labels=least + more)
    numbers = bounded.apply(probabilities, half(k).labels).sum(axis=1)
    assert (numbers >= min(least, k)).all() and (numbers <= least + more).all()


def test_a_label_without_threshold_is_never_predicted():
    unknown = LabelThresholds(("a", "b"), np.array([np.nan, 0.5]), min_labels=2)
    assert unknown.apply(np.array([[0.9, 0.1], [0.1, 0.9]]), ("a", "b")).tolist() == [[False, True]] * 2
    expected = replace(unknown, decision="expected_f2", min_labels=1)
    assert expected.apply(np.array([[0.0, 0.0], [0.9, 0.1]]), ("a", "b")).tolist() == [[False, True]] * 2


def test_the_options_are_used():
    true, probabilities = np.array([[True], [False]]), np.array([[0.9], [0.4]])
    chosen = choose_thresholds(true, probabilities, ["a"], ThresholdOptions(min_labels=1, max_labels=3))
    assert (chosen.labels, chosen.min_labels, chosen.max_labels) == (("a",), 1, 3)


def test_an_image_cannot_have_more_labels_than_there_are():
    with pytest.raises(EvaluationError, match=r"thresholds\.min_labels is 2, but there are 1 labels"):
        choose_thresholds(np.array([[True]]), np.array([[0.9]]), ["a"], ThresholdOptions(min_labels=2))


@pytest.mark.parametrize("bad", [{"shrinkage": -1}, {"max_labels": 0}, {"min_labels": 3, "max_labels": 2}])
def test_impossible_options_are_refused(bad):
    with pytest.raises(ValidationError):
        ThresholdOptions(**bad)


def test_thresholds_of_other_labels_are_refused():
    with pytest.raises(EvaluationError, match="other labels than the predictions: label 01, other"):
        half(2).apply(np.zeros((1, 2)), ("label 00", "other"))


def test_no_images_choose_no_threshold():
    with pytest.raises(EvaluationError, match="keep a validation split"):
        choose_global(np.zeros((0, 2), bool), np.zeros((0, 2)))
