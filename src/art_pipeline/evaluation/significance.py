"""McNemar's test: whether one model is better than another on the same test images."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.evaluation.predictions import index_rows

COLUMNS = ("better", "worse", "only_better_correct", "only_worse_correct", "p_value")


def compare_models(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rank models by accuracy, and test each against the next one in the ranking (McNemar 1947).

    Only images that one of the two models classifies correctly and the other wrongly count. If both models were
    equally good, each such image would fall to either with probability one half: the test is the exact two-sided
    binomial test.

    Args:
        predictions: Predictions table by the model's name.

    Returns:
        One row per pair of successive models, from the top: ``better`` and ``worse`` (names; equally accurate models
        in the given order), ``only_better_correct`` and ``only_worse_correct`` (int), and ``p_value`` (float). Pairs
        with different test images are omitted.

    Raises:
        EvaluationError: Predictions are invalid.

    >>> from art_pipeline.evaluation.predictions import make_predictions
    >>> labels = ["print", "print", "vase", "vase"]
    >>> good = make_predictions(range(4), labels, [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], ["print", "vase"])
    >>> poor = make_predictions(range(4), labels, [[0.4, 0.6], [0.4, 0.6], [0.6, 0.4], [0.6, 0.4]], ["print", "vase"])
    >>> compare_models({"svm": poor, "network": good}).to_dict("records")
    [{'better': 'network', 'worse': 'svm', 'only_better_correct': 3, 'only_worse_correct': 0, 'p_value': 0.25}]
    """
    rows = {name: index_rows(table) for name, table in predictions.items()}
    correct = {name: one.true == one.predicted for name, one in rows.items()}
    ranked = sorted(rows, key=lambda name: -correct[name].mean())
    tested = [
        (better, worse, *mcnemar(correct[better], correct[worse]))
        for better, worse in pairwise(ranked)
        if np.array_equal(rows[better].object_ids, rows[worse].object_ids)
    ]
    return pd.DataFrame(tested, columns=list(COLUMNS))


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Test two classifiers on the same images (McNemar 1947, exact and two-sided).

    Args:
        first: (n,) whether the first classifier is correct.
        second: (n,) whether the second classifier is correct.

    Returns:
        How many images only the first and only the second classifies correctly, and the p-value, rounded to 6
        decimals; 1.0 where the two never differ.

    >>> mcnemar(np.array([True, True, True, False]), np.array([False, True, False, False]))
    (2, 0, 0.5)
    """
    from scipy.stats import binomtest

    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    differ = only_first + only_second
    p_value = float(binomtest(only_first, differ).pvalue) if differ else 1.0
    return only_first, only_second, round(p_value, 6)
