"""Selective classification."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.evaluation.selective import MIN_IMAGES, find_threshold, review_table, selective_table

SEEDS = st.integers(0, 2**32 - 1)
NUMBERS = ["predicted", "accepted", "coverage", "accuracy", "threshold", "chosen_on"]


def manifest(labels, split):
    return pd.DataFrame({"object_id": np.arange(len(labels)), "label": labels, "split": split})


def predictions(seed=0, n=600, skill=2.0, classes=("a", "b", "c")):
    """Probabilities that mean what they say, more or less sure; half of the images are of the test split."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(len(classes)) / skill, n)
    labels = [classes[rng.choice(len(classes), p=row)] for row in probabilities]
    rows = manifest(labels, np.repeat(["validation", "test"], n // 2)).assign(object_id=rng.permutation(n * 3)[:n])
    return make_predictions(rows, probabilities, classes, origins="held_out")


def label_predictions(seed=0, n=400, k=4, thresholds=0.3):
    """The same for labels, the last of which is rare."""
    rng = np.random.default_rng(seed)
    probabilities = rng.beta(0.5, 1.0, (n, k)) * np.where(np.arange(k) == k - 1, 0.33, 1.0)
    names = [f"label {j}" for j in range(k)]
    true = rng.random((n, k)) < probabilities
    labels = ["|".join(np.array(names)[row]) for row in true]
    rows = manifest(labels, np.repeat(["train", "test"], n // 2))
    origins = np.repeat(["out_of_fold", "held_out"], n // 2)
    return make_predictions(rows, probabilities, names, origins=origins, thresholds=[thresholds] * k)


def same(labels, probabilities, classes):
    """The same images in the validation and in the test split."""
    rows = manifest(labels * 2, np.repeat(["validation", "test"], len(labels)))
    return make_predictions(rows, probabilities * 2, classes, origins="held_out")


def by_brute_force(confidence, hits, right, least):
    enough = [c for c in confidence if hits[confidence >= c].mean() >= right and (confidence >= c).sum() >= least]
    return min(enough) if enough else None


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.4, 0.5, 0.6, 0.7, 0.9]), st.booleans()), min_size=1, max_size=30),
    st.sampled_from([0.5, 0.75, 0.95, 1.0]),
    st.integers(1, 9),
)
def test_the_threshold_is_the_lowest_that_will_do(pairs, right, least):
    confidence, hits = (np.array(column) for column in zip(*pairs, strict=True))
    assert find_threshold(confidence, hits, right, least) == by_brute_force(confidence, hits, right, least)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.booleans(), st.booleans())
def test_counts_of_classes_add_up(seed, multilabel, class_thresholds):
    made = label_predictions(seed) if multilabel else predictions(seed)
    table = selective_table(made, target_accuracy=0.8, class_thresholds=class_thresholds)
    whole, classes = table.iloc[0], table.iloc[1:]
    assert whole["class"] == "all"
    for column in ("predicted", "accepted", "chosen_on"):
        assert whole[column] == classes[column].sum()
    assert list(classes["class"]) == sorted(name.removeprefix("p:") for name in made if name.startswith("p:"))
    some = table[table["predicted"] > 0]
    assert some["coverage"].to_numpy() == pytest.approx((some["accepted"] / some["predicted"]).to_numpy(), abs=1e-6)
    if not multilabel:
        assert whole["predicted"] == 300
        assert class_thresholds or table["threshold"].nunique(dropna=False) == 1


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.booleans(), st.booleans())
def test_test_images_change_no_threshold(seed, multilabel, class_thresholds):
    """Neither their labels nor their probabilities are read, nor how many there are."""
    made, rng = (label_predictions(seed) if multilabel else predictions(seed)), np.random.default_rng(seed)
    test = (made["split"] == "test").to_numpy()
    other = made.copy()
    columns = [name for name in made if name == "label" or name.startswith("p:")]
    other.loc[test, columns] = made.loc[test, columns].sample(frac=1, random_state=int(rng.integers(99))).to_numpy()
    other.loc[test, "label"] = rng.permutation(other.loc[test, "label"].to_numpy())
    other = other[~test | (rng.random(len(other)) < 0.5)]
    one, two = (
        selective_table(table, target_accuracy=0.8, class_thresholds=class_thresholds) for table in (made, other)
    )
    pd.testing.assert_frame_equal(one[["class", "threshold", "chosen_on"]], two[["class", "threshold", "chosen_on"]])
    assert one["accepted"].iloc[0] > 0  # and the test images are used at all
    assert not one["accuracy"].equals(two["accuracy"])


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_images_that_the_model_was_trained_on_change_nothing(seed):
    made, rng = predictions(seed), np.random.default_rng(seed)
    seen = (made["split"] != "test") & (rng.random(len(made)) < 0.3)
    marked = made.assign(origin=np.where(seen, "resubstitution", "held_out"))
    pd.testing.assert_frame_equal(selective_table(marked), selective_table(made[~seen]))


ODD_NAMES = ["all", "class", "nan", "None", "1850", "True", "accuracy", "threshold", "a,b", "p:a", "object_id"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_no_name_of_a_class_changes_what_is_counted(name):
    plain = selective_table(predictions(classes=("a", "b", "c")), target_accuracy=0.9)
    table = selective_table(predictions(classes=(name, "b", "c")), target_accuracy=0.9)
    assert table["class"].tolist()[0] == "all"
    assert sorted(table["class"].tolist()[1:]) == sorted([name, "b", "c"])
    assert table.loc[0, NUMBERS].tolist() == plain.loc[0, NUMBERS].tolist()
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
    table = selective_table(same(["a", "b"] * 10, [[0.9, 0.1], [0.2, 0.8]] * 10, ["a", "b"]))
    assert table["coverage"].tolist() == [1, 1, 1]
    assert table["accuracy"].tolist() == [1, 1, 1]
    assert table["threshold"].iloc[0] == 0.8


def test_no_prediction_of_a_model_that_is_always_wrong_is_accepted():
    table = selective_table(same(["b", "a"] * 10, [[0.9, 0.1], [0.2, 0.8]] * 10, ["a", "b"]))
    assert table["accepted"].tolist() == [0, 0, 0]
    assert table[["accuracy", "threshold"]].isna().all(axis=None)


@pytest.mark.parametrize("made", [predictions(), label_predictions()])
def test_without_images_to_choose_on_nothing_is_accepted(made):
    seen = made.assign(origin=np.where(made["split"] == "test", "held_out", "resubstitution"))
    table = selective_table(seen)
    assert table["threshold"].isna().all()
    assert not table[["accepted", "chosen_on"]].any(axis=None)


def test_a_threshold_of_a_rare_class_is_that_of_all():
    n, rare = 3 * MIN_IMAGES, 5
    # The first class is right half of the time at 0.8, the second always at 0.6; the third is rare.
    labels = (["a", "z"] * (n // 2)) + ["b"] * n + ["c"] * rare
    probabilities = [[0.8, 0.1, 0.1]] * n + [[0.2, 0.6, 0.2]] * n + [[0.2, 0.2, 0.6]] * rare
    made = same(labels, probabilities, ["a", "b", "c"])
    together = selective_table(made, target_accuracy=0.7)
    apart = selective_table(made, target_accuracy=0.7, class_thresholds=True).set_index("class")
    assert together["threshold"].tolist() == [0.6] * 4
    assert apart.loc[["b", "c"], "threshold"].tolist() == [0.6, 0.6]
    assert np.isnan(apart.loc["a", "threshold"])
    assert apart["accepted"].to_dict() == {"all": n + rare, "a": 0, "b": n, "c": rare}


@pytest.mark.parametrize("made", [predictions(), label_predictions()])
def test_it_does_not_depend_on_the_order_of_objects(made):
    shuffled = made.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(selective_table(made), selective_table(shuffled))
    pd.testing.assert_frame_equal(review_table(made), review_table(shuffled))


def test_review_starts_with_the_least_confident():
    table = review_table(predictions())
    assert table["probability"].is_monotonic_increasing
    assert (table["probability"] >= table["second_probability"]).all()
    assert (table["predicted"] != table["second_choice"]).all()
    assert len(table) == 300


def test_a_single_class_is_its_own_second_choice():
    table = review_table(make_predictions(manifest(["a"], "test"), [[1.0]], ["a"], origins="held_out"))
    assert table.loc[0, ["predicted", "second_choice"]].tolist() == ["a", "a"]


def test_review_of_labels_by_hand():
    rows = manifest(["a|b", ""], "test")
    made = make_predictions(rows, [[0.9, 0.2], [0.5, 0.6]], ["a", "b"], origins="held_out", thresholds=[0.5, 0.5])
    assert review_table(made).to_dict("records") == [
        {
            "object_id": 1,
            "predicted": "a|b",
            "expected_errors": 0.9,
            "most_doubtful": "a",
            "probability": 0.5,
            "label": "",
        },
        {
            "object_id": 0,
            "predicted": "a",
            "expected_errors": 0.3,
            "most_doubtful": "b",
            "probability": 0.2,
            "label": "a|b",
        },
    ]
