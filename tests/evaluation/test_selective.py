"""Selective classification."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.evaluation.selective import find_threshold, review_table, selective_table

SEEDS = st.integers(0, 2**32 - 1)


def predictions(seed=0, n=300, skill=2.0, classes=("a", "b", "c")):
    """Probabilities that mean what they say, more or less sure."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(len(classes)) / skill, n)
    labels = [classes[rng.choice(len(classes), p=row)] for row in probabilities]
    return make_predictions(rng.permutation(n * 3)[:n], labels, probabilities, classes)


def by_brute_force(confidence, hits, right):
    enough = [one for one in confidence if hits[confidence >= one].mean() >= right]
    return min(enough) if enough else None


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.4, 0.5, 0.6, 0.7, 0.9]), st.booleans()), min_size=1, max_size=30),
    st.sampled_from([0.5, 0.75, 0.95, 1.0]),
)
def test_the_threshold_is_the_lowest_that_will_do(pairs, right):
    confidence, hits = (np.array(column) for column in zip(*pairs, strict=True))
    assert find_threshold(confidence, hits, right) == by_brute_force(confidence, hits, right)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_counts_of_classes_add_up(seed):
    table = selective_table(predictions(seed), target_accuracy=0.9, seed=seed)
    whole, classes = table.iloc[0], table.iloc[1:]
    assert whole["class"] == "all"
    assert whole["predicted"] == 300 == classes["predicted"].sum()
    assert whole["accepted"] == classes["accepted"].sum()
    assert table["threshold"].nunique(dropna=False) == 1
    assert list(classes["class"]) == sorted(classes["class"])


ODD_NAMES = ["all", "class", "nan", "None", "1850", "True", "accuracy", "threshold", "a,b", "p:a", "object_id"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_no_name_of_a_class_changes_what_is_counted(name):
    plain = selective_table(predictions(classes=("a", "b", "c")), target_accuracy=0.9)
    table = selective_table(predictions(classes=(name, "b", "c")), target_accuracy=0.9)
    assert table["class"].tolist()[0] == "all"
    assert sorted(table["class"].tolist()[1:]) == sorted([name, "b", "c"])
    numbers = ["predicted", "accepted", "coverage", "accuracy", "threshold"]
    assert table.loc[0, numbers].tolist() == plain.loc[0, numbers].tolist()
    assert table["predicted"].iloc[1:].sum() == table["predicted"].iloc[0]


def test_coverage_and_accuracy_hold_on_new_images():
    """Over many draws, the estimate and what the threshold does on new objects are the same."""
    promised, kept, shares, new_shares = [], [], [], []
    for seed in range(40):
        table, new = selective_table(predictions(seed), target_accuracy=0.9), predictions(1000 + seed)
        top = new[["p:a", "p:b", "p:c"]].max(axis=1)
        guessed = new[["p:a", "p:b", "p:c"]].idxmax(axis=1).str.removeprefix("p:")
        trusted = top >= table["threshold"].iloc[0]
        promised.append(table["accuracy"].iloc[0])
        shares.append(table["coverage"].iloc[0])
        kept.append((guessed == new["label"])[trusted].mean())
        new_shares.append(trusted.mean())
    assert np.mean(promised) == pytest.approx(np.mean(kept), abs=0.02)
    assert np.mean(shares) == pytest.approx(np.mean(new_shares), abs=0.02)


def test_all_predictions_of_a_perfect_model_are_accepted():
    table = selective_table(make_predictions(range(20), ["a", "b"] * 10, [[0.9, 0.1], [0.2, 0.8]] * 10, ["a", "b"]))
    assert table["coverage"].tolist() == [1, 1, 1]
    assert table["accuracy"].tolist() == [1, 1, 1]
    assert table["threshold"].iloc[0] == 0.8


def test_no_prediction_of_a_model_that_is_always_wrong_is_accepted():
    table = selective_table(make_predictions(range(20), ["b", "a"] * 10, [[0.9, 0.1], [0.2, 0.8]] * 10, ["a", "b"]))
    assert table["accepted"].tolist() == [0, 0, 0]
    assert table[["accuracy", "threshold"]].isna().all(axis=None)


def test_it_does_not_depend_on_the_order_of_objects():
    table = predictions()
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(selective_table(table, seed=3), selective_table(shuffled, seed=3))
    pd.testing.assert_frame_equal(review_table(table), review_table(shuffled))


def test_review_starts_with_the_least_confident():
    table = review_table(predictions())
    assert table["probability"].is_monotonic_increasing
    assert (table["probability"] >= table["second_probability"]).all()
    assert (table["predicted"] != table["second_choice"]).all()
    assert len(table) == 300


def test_a_single_class_is_its_own_second_choice():
    table = review_table(make_predictions([1], ["a"], [[1.0]], ["a"]))
    assert table.loc[0, ["predicted", "second_choice"]].tolist() == ["a", "a"]
