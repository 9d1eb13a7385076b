"""Tests between successive models."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.evaluation.significance import COLUMNS, LABEL_COLUMNS, bootstrap_difference, compare_models


def predictions(hits, ids=None, multilabel=False, split="test", label="a"):
    """Predictions that are correct where ``hits`` is true."""
    probabilities = [[0.9, 0.1] if hit else [0.1, 0.9] for hit in hits]
    rows = pd.DataFrame({"object_id": range(len(hits)) if ids is None else ids, "label": label, "split": split})
    thresholds = [0.5, 0.5] if multilabel else None
    return make_predictions(rows, probabilities, ["a", "b"], origins="held_out", thresholds=thresholds)


def test_the_p_value_is_that_of_the_exact_binomial_test():
    one = [True] * 9 + [False] * 2 + [True] * 20
    other = [False] * 9 + [True] * 2 + [True] * 20
    [row] = compare_models({"other": predictions(other), "one": predictions(one)}).itertuples(index=False)
    assert row[:4] == ("one", "other", 9, 2)
    assert row.p_value == pytest.approx(2 * binom.cdf(2, 11, 0.5), abs=1e-6)


@pytest.mark.parametrize("multilabel", [False, True])
def test_models_are_ranked_and_each_is_tested_against_the_next(multilabel):
    hits = {name: [True] * right + [False] * (30 - right) for name, right in {"c": 10, "a": 25, "b": 20}.items()}
    table = compare_models({name: predictions(one, multilabel=multilabel) for name, one in hits.items()})
    assert list(zip(table["better"], table["worse"], strict=True)) == [("a", "b"), ("b", "c")]
    assert tuple(table.columns) == (LABEL_COLUMNS if multilabel else COLUMNS)
    if multilabel:
        assert table["f2_difference"].tolist() == pytest.approx([5 / 30, 10 / 30], abs=1e-6)
    else:
        assert table["only_worse_correct"].tolist() == [0, 0]
        assert table["only_better_correct"].tolist() == [5, 10]


@pytest.mark.parametrize("multilabel", [False, True])
def test_equal_models_have_p_value_1(multilabel):
    table = compare_models({name: predictions([True, False], multilabel=multilabel) for name in "ab"})
    assert table["p_value"].tolist() == [1]


@pytest.mark.parametrize("other", [{"ids": [5, 6]}, {"label": "b"}, {"split": ["test", "train"]}])
def test_models_with_different_test_images_are_not_compared(other):
    models = {"a": predictions([True, True]), "b": predictions([True, False], **other)}
    table = compare_models(models)
    assert table.empty and tuple(table.columns) == COLUMNS


def test_other_splits_do_not_matter():
    split = ["test"] * 4 + ["train", "validation"]
    hits = {"a": [True, True, True, False, True, True], "b": [True, False, True, False, False, False]}
    whole = compare_models({name: predictions(one, split=split) for name, one in hits.items()})
    pd.testing.assert_frame_equal(whole, compare_models({name: predictions(one[:4]) for name, one in hits.items()}))


def test_models_of_different_kinds_of_task_are_not_compared():
    with pytest.raises(EvaluationError, match="compare models of one task"):
        compare_models({"a": predictions([True]), "b": predictions([True], multilabel=True)})


@pytest.mark.parametrize("multilabel", [False, True])
def test_false_positives_are_rare(multilabel):
    rng = np.random.default_rng(0)
    draws = 25 if multilabel else 120
    tables = [
        compare_models({n: predictions(rng.random(60) < 0.7, multilabel=multilabel) for n in "ab"})
        for _ in range(draws)
    ]
    assert np.mean([table["p_value"][0] < 0.05 for table in tables]) < 0.13


def test_the_interval_of_a_difference_is_that_of_its_mean():
    rng = np.random.default_rng(0)
    first, second = rng.random(200) + 0.1, rng.random(200)
    difference, low, high, p_value = bootstrap_difference(first, second, seed=3)
    error = (first - second).std() / np.sqrt(200)
    assert difference == pytest.approx((first - second).mean(), abs=1e-6)
    assert (difference - low, high - difference) == (pytest.approx(1.96 * error, rel=0.1),) * 2
    assert 0 < p_value < 0.01
    assert bootstrap_difference(first, second, seed=3) == (difference, low, high, p_value)
