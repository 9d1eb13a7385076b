"""Labels that maximize the expected F2."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.evaluation import expected_f
from art_pipeline.evaluation.expected_f import best_labels
from art_pipeline.evaluation.label_thresholds import LabelThresholds, ThresholdOptions, choose_thresholds, f_beta


def expected_f2(probabilities, predicted):
    """The mean over all sets of true labels of one image, by their probability."""
    total = 0.0
    for true in product([False, True], repeat=len(probabilities)):
        chance = np.prod(np.where(true, probabilities, 1 - probabilities))
        total += chance * f_beta(np.array([true]), predicted[None])[0]
    return total


@given(st.integers(1, 6), st.integers(0, 10**6), st.data())
@settings(deadline=None)
def test_no_other_set_of_labels_has_a_higher_expected_f2(k, seed, data):
    most = data.draw(st.integers(1, k))
    least = data.draw(st.integers(0, most))
    probabilities = np.random.default_rng(seed).random(k)
    found = best_labels(probabilities[None], least, most)[0]
    sets = [np.array(one) for one in product([False, True], repeat=k) if least <= sum(one) <= most]
    assert least <= found.sum() <= most
    assert expected_f2(probabilities, found) >= max(expected_f2(probabilities, one) for one in sets) - 1e-9


def test_images_do_not_depend_on_each_other(monkeypatch):
    probabilities = np.random.default_rng(0).random((7, 5))
    together = best_labels(probabilities)
    monkeypatch.setattr(expected_f, "BLOCK", 2)
    np.testing.assert_array_equal(best_labels(probabilities), together)
    np.testing.assert_array_equal(best_labels(probabilities[::-1])[::-1], together)


@pytest.mark.parametrize(("n", "k"), [(0, 3), (2, 100)])
def test_no_images_and_many_labels(n, k):
    assert best_labels(np.full((n, k), 0.5)).shape == (n, k)


def test_calibrated_probabilities_give_more_than_thresholds():
    """Where images differ in their number of labels, one threshold is too low for some and too high for others."""
    rng = np.random.default_rng(0)
    probabilities = rng.random((4000, 12)) ** rng.choice([1, 12], (4000, 1))
    true, labels = rng.random(probabilities.shape) < probabilities, [f"label {j:02}" for j in range(12)]
    first, second = slice(0, 2000), slice(2000, None)
    scores = {}
    for decision in ("thresholds", "expected_f2"):
        chosen = choose_thresholds(
            true[first], probabilities[first], labels, ThresholdOptions(decision=decision, min_labels=1)
        )
        assert chosen.decision == decision
        scores[decision] = f_beta(true[second], chosen.apply(probabilities[second], labels)).mean()
    assert scores["expected_f2"] > scores["thresholds"] + 0.005


def test_a_label_absent_from_training_is_never_predicted():
    model = LabelThresholds(("a", "b"), np.array([np.nan, 0.5]), decision="expected_f2")
    assert model.apply(np.array([[0.9, 0.6]]), ("a", "b")).tolist() == [[False, True]]
