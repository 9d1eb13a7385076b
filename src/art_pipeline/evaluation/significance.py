"""Whether one model is better than another on the same test images."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.bootstrap import resample_counts
from art_pipeline.evaluation.label_thresholds import f_beta
from art_pipeline.evaluation.prediction_rows import index_rows, label_rows
from art_pipeline.evaluation.prediction_table import is_multilabel, test_rows

COLUMNS = ("better", "worse", "only_better_correct", "only_worse_correct", "p_value")
COST_COLUMNS = ("cost_difference", "cost_low", "cost_high", "cost_p_value")
LABEL_COLUMNS = ("better", "worse", "f2_difference", "low", "high", "p_value")
RESAMPLES = 10_000


def compare_models(predictions: Mapping[str, pd.DataFrame], *, seed: int = 0) -> pd.DataFrame:
    """Rank the models of one task, and test each against the next one in the ranking, on the test split.

    Multi-class models are ranked by accuracy and tested by McNemar's test (McNemar 1947): only images that one of the
    two models classifies correctly and the other wrongly count. If both models were equally good, each such image
    would fall to either with probability one half: the test is the exact two-sided binomial test.

    Multi-label models are ranked by the mean F2 measure of an image, and tested by a bootstrap of the paired
    difference (see `bootstrap_difference`).

    Args:
        predictions: Predictions table by the model's name.
        seed: Random seed of the resamples.

    Returns:
        One row per pair of successive models, from the top: ``better`` and ``worse`` (names; equally good models in
        the given order); for multi-class models ``only_better_correct`` and ``only_worse_correct`` (int), for
        multi-label models ``f2_difference``, ``low`` and ``high`` (its 95% interval); and ``p_value`` (float). Pairs
        with different test images or labels are omitted. If two models of a pair have the same costs of mistakes,
        there are ``cost_difference`` (mean cost of the first minus that of the second), ``cost_low`` and ``cost_high``
        (its 95% interval), and ``cost_p_value``, by the paired bootstrap; NaN for the other pairs.

    Raises:
        EvaluationError: Predictions are invalid, or some are multi-class and others multi-label.

    >>> from art_pipeline.evaluation.predictions import make_predictions
    >>> rows = pd.DataFrame({"object_id": range(4), "label": ["print", "print", "vase", "vase"], "split": "test"})
    >>> good, poor = (
    ...     make_predictions(rows, probabilities, ["print", "vase"], origins="held_out")
    ...     for probabilities in (
    ...         [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]],
    ...         [[0.4, 0.6], [0.4, 0.6], [0.6, 0.4], [0.6, 0.4]],
    ...     )
    ... )
    >>> compare_models({"svm": poor, "network": good}).to_dict("records")
    [{'better': 'network', 'worse': 'svm', 'only_better_correct': 3, 'only_worse_correct': 0, 'p_value': 0.25}]
    """
    kinds = {is_multilabel(table) for table in predictions.values()}
    if len(kinds) > 1:
        raise EvaluationError("Multi-class and multi-label models cannot be compared: compare models of one task.")
    multilabel = kinds == {True}
    scores = {name: _scores(table) for name, table in predictions.items()}
    ranked = sorted(scores, key=lambda name: -scores[name].mean())
    tested = [
        (better, worse, *_test(scores[better], scores[worse], multilabel, seed))
        for better, worse in pairwise(ranked)
        if _labels(predictions[better]).equals(_labels(predictions[worse]))
    ]
    table = pd.DataFrame(tested, columns=list(LABEL_COLUMNS if multilabel else COLUMNS))
    pairs = [(predictions[one], predictions[other]) for one, other in zip(table["better"], table["worse"], strict=True)]
    costs = [compare_costs(one, other, seed=seed) for one, other in pairs]
    if not any(costs):
        return table
    return table.assign(**pd.DataFrame([one or (np.nan,) * 4 for one in costs], columns=list(COST_COLUMNS)))


def compare_costs(
    first: pd.DataFrame, second: pd.DataFrame, *, seed: int = 0
) -> tuple[float, float, float, float] | None:
    """Test whether the mean cost of one model is above that of another on the same test images.

    Args:
        first: Predictions table.
        second: Predictions table of the same images.
        seed: Random seed of the resamples.

    Returns:
        As `bootstrap_difference`; None unless both have the same costs of mistakes.
    """
    if is_multilabel(first) or is_multilabel(second):
        return None
    one, other = index_rows(first), index_rows(second)
    if one.costs is None or other.costs is None or not np.array_equal(one.costs.values, other.costs.values):
        return None
    values = one.costs.values
    return bootstrap_difference(values[one.true, one.predicted], values[other.true, other.predicted], seed)


def mcnemar(first: Flags, second: Flags) -> tuple[int, int, float]:
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


def bootstrap_difference(first: Floats, second: Floats, seed: int = 0) -> tuple[float, float, float, float]:
    """Test whether the mean score of one model is above that of another on the same images.

    The images are resampled with replacement, each with both scores. The two-sided p-value is twice the share of
    resamples on the other side of 0, with the sample itself counted as one (Davison & Hinkley 1997, "Bootstrap Methods
    and their Application", section 4.2).

    Args:
        first: (n,) score of each image.
        second: (n,) score of each image.
        seed: Random seed of the resamples.

    Returns:
        The difference of the means, the ends of its 95% percentile interval, and the p-value, rounded to 6 decimals.

    >>> bootstrap_difference(np.array([0.5, 1.0]), np.array([0.5, 1.0]))
    (0.0, 0.0, 0.0, 1.0)
    """
    differences, n = first - second, len(first)
    means = np.concatenate(
        [(differences[:, None] * counts).sum(axis=0) / n for counts in resample_counts(n, RESAMPLES, seed)]
    ).round(12)
    low, high = np.percentile(means, (2.5, 97.5))
    beyond = min((means <= 0).sum(), (means >= 0).sum())
    p_value = min(1.0, 2 * (1 + beyond) / (1 + RESAMPLES))
    found = (differences.mean(), low, high, p_value)
    difference, low, high, p_value = (round(float(value), 6) for value in found)
    return difference, low, high, p_value


def _scores(predictions: pd.DataFrame) -> Floats:
    """Return each test image's score by ascending object id: its F2 measure, or 1 where the class is correct."""
    if is_multilabel(predictions):
        labels = label_rows(predictions)
        return f_beta(labels.true, labels.predicted)
    rows = index_rows(predictions)
    correct: Floats = (rows.true == rows.predicted).astype(np.float64)
    return correct


def _test(better: Floats, worse: Floats, multilabel: bool, seed: int) -> tuple[float, ...]:
    return bootstrap_difference(better, worse, seed) if multilabel else mcnemar(better == 1, worse == 1)


def _labels(predictions: pd.DataFrame) -> "pd.Series[str]":
    return test_rows(predictions).set_index("object_id")["label"].sort_index()
