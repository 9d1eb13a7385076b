"""Whether one model is better than another, on the same test objects."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from art_pipeline.evaluation.predictions import index_rows

COLUMNS = ("better", "worse", "only_better_right", "only_worse_right", "p_value")


def compare_neighbours(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rank models by accuracy, and test each against the next (McNemar 1947).

    Only objects that one of the two has right and the other wrong tell them apart; if the two
    were equally good, each such object would fall to either with chance one half. The test is the
    exact, two-sided binomial one.

    Args:
        predictions: A predictions table by the model's name.

    Returns:
        One row per pair of neighbours, from the top: ``better``, ``worse`` (names; of equals, in
        the order given), ``only_better_right``, ``only_worse_right`` (counts) and ``p_value``:
        the chance of so large a difference between equally good models. Pairs whose test objects
        are not the same are left out.

    Raises:
        EvaluationError: No valid predictions.
    """
    rows = {name: index_rows(table) for name, table in predictions.items()}
    hits = {name: pd.Series(one.true == one.predicted, index=one.object_ids) for name, one in rows.items()}
    ranked = sorted(hits, key=lambda name: -hits[name].mean())
    tested = [_test(one, other, hits) for one, other in pairwise(ranked) if hits[one].index.equals(hits[other].index)]
    return pd.DataFrame(tested, columns=COLUMNS)


def _test(better: str, worse: str, hits: Mapping[str, pd.Series]) -> tuple[str, str, int, int, float]:
    from scipy.stats import binomtest

    one, other = (hits[name].to_numpy() for name in (better, worse))
    first, second = int(np.sum(one & ~other)), int(np.sum(other & ~one))
    chance = binomtest(first, first + second).pvalue if first + second else 1.0
    return better, worse, first, second, round(float(chance), 6)
