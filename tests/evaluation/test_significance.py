"""McNemar's test between successive models."""

import numpy as np
import pytest
from scipy.stats import binom

from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.evaluation.significance import COLUMNS, compare_models


def predictions(hits, ids=None):
    """Predictions that are correct where ``hits`` is true."""
    probabilities = [[0.9, 0.1] if hit else [0.1, 0.9] for hit in hits]
    return make_predictions(range(len(hits)) if ids is None else ids, ["a"] * len(hits), probabilities, ["a", "b"])


def test_the_p_value_is_that_of_the_exact_binomial_test():
    one = [True] * 9 + [False] * 2 + [True] * 20
    other = [False] * 9 + [True] * 2 + [True] * 20
    [row] = compare_models({"other": predictions(other), "one": predictions(one)}).itertuples(index=False)
    assert row[:4] == ("one", "other", 9, 2)
    assert row.p_value == pytest.approx(2 * binom.cdf(2, 11, 0.5), abs=1e-6)


def test_models_are_ranked_and_each_is_tested_against_the_next():
    hits = {name: [True] * right + [False] * (30 - right) for name, right in {"c": 10, "a": 25, "b": 20}.items()}
    table = compare_models({name: predictions(one) for name, one in hits.items()})
    assert list(zip(table["better"], table["worse"], strict=True)) == [("a", "b"), ("b", "c")]
    assert table["only_worse_correct"].tolist() == [0, 0]
    assert table["only_better_correct"].tolist() == [5, 10]


def test_equal_models_have_p_value_1():
    [row] = compare_models({name: predictions([True, False]) for name in "ab"}).itertuples(index=False)
    assert (row.only_better_correct, row.only_worse_correct, row.p_value) == (0, 0, 1)


def test_models_with_different_test_images_are_not_compared():
    models = {"a": predictions([True, True]), "b": predictions([True, False], ids=[5, 6])}
    table = compare_models(models)
    assert table.empty and tuple(table.columns) == COLUMNS


def test_false_positives_are_rare():
    rng = np.random.default_rng(0)
    tables = [compare_models({n: predictions(rng.random(60) < 0.7) for n in "ab"}) for _ in range(120)]
    assert np.mean([table["p_value"][0] < 0.05 for table in tables]) < 0.1
