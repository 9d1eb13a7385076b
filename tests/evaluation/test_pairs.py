"""Whether one model is better than the next."""

import numpy as np
import pytest
from scipy.stats import binom

from art_pipeline.evaluation.pairs import COLUMNS, compare_neighbours
from art_pipeline.evaluation.predictions import make_predictions


def judged(hits, ids=None):
    """Predictions that are right where ``hits`` says so."""
    probabilities = [[0.9, 0.1] if hit else [0.1, 0.9] for hit in hits]
    return make_predictions(range(len(hits)) if ids is None else ids, ["a"] * len(hits), probabilities, ["a", "b"])


def test_the_chance_is_that_of_a_fair_coin():
    one = [True] * 9 + [False] * 2 + [True] * 20
    other = [False] * 9 + [True] * 2 + [True] * 20
    [row] = compare_neighbours({"other": judged(other), "one": judged(one)}).itertuples(index=False)
    assert row[:4] == ("one", "other", 9, 2)
    assert row.p_value == pytest.approx(2 * binom.cdf(2, 11, 0.5), abs=1e-6)


def test_models_are_ranked_and_each_is_tested_against_the_next():
    hits = {name: [True] * right + [False] * (30 - right) for name, right in {"c": 10, "a": 25, "b": 20}.items()}
    table = compare_neighbours({name: judged(one) for name, one in hits.items()})
    assert list(zip(table["better"], table["worse"], strict=True)) == [("a", "b"), ("b", "c")]
    assert table["only_worse_right"].tolist() == [0, 0]
    assert table["only_better_right"].tolist() == [5, 10]


def test_equal_models_are_told_apart_by_nothing():
    [row] = compare_neighbours({name: judged([True, False]) for name in "ab"}).itertuples(index=False)
    assert (row.only_better_right, row.only_worse_right, row.p_value) == (0, 0, 1)


def test_other_test_objects_are_not_compared():
    models = {"a": judged([True, True]), "b": judged([True, False], ids=[5, 6])}
    table = compare_neighbours(models)
    assert table.empty and tuple(table.columns) == COLUMNS


def test_chance_alone_is_seldom_significant():
    rng = np.random.default_rng(0)
    tables = [compare_neighbours({n: judged(rng.random(60) < 0.7) for n in "ab"}) for _ in range(120)]
    assert np.mean([table["p_value"][0] < 0.05 for table in tables]) < 0.1
