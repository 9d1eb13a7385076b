"""How good a search is: how many of the nearest works have the label of the query."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Floats
from art_pipeline.discovery.nearest import nearest
from art_pipeline.tasks.columns import as_text

RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles


class Precision(NamedTuple):
    """Share of the nearest works that have the label of the query, over all works with a label.

    Attributes:
        works: Number of works with a label.
        labels: Number of labels.
        value: Mean over works.
        low: Lower limit of its 95% interval, by bootstrap of the works.
        high: The upper limit.
        best: What a perfect search reaches: rare labels have fewer works than there are neighbours.
        chance: What a random order reaches.
    """

    works: int
    labels: int
    value: float
    low: float
    high: float
    best: float
    chance: float


def precision_at(
    rows: NDArray[np.float32], labels: "pd.Series[Any]", groups: NDArray[np.int64], k: int, seed: int = 0
) -> Precision | None:
    """Measure the share of the k nearest works that have the same label.

    Args:
        rows: (n, length) float32 of unit length.
        labels: (n,) label of each work, of any type; works without one (``""`` or missing) are left out.
        groups: (n,) near-duplicates have the same number, and do not count as neighbours of each other.
        k: Number of neighbours.
        seed: Seed of the bootstrap.

    Returns:
        None where fewer than two works have a label.
    """
    labels = as_text(labels)
    known = np.flatnonzero((labels != "").to_numpy())
    if len(known) < 2:  # noqa: PLR2004
        return None
    rows, groups = rows[known], groups[known]
    codes, names = pd.factorize(labels.iloc[known])
    found = nearest(rows, rows, k, lambda some, part: groups[some][:, None] != groups[part]).indices
    same = (codes[found] == codes[:, None]) & (found >= 0)
    low, high = _interval(same.mean(axis=1), seed)
    pairs = pd.DataFrame({"code": codes, "group": groups})
    of_label, of_both = (pairs.groupby(by)["code"].transform("size") for by in ("code", ["code", "group"]))
    others = len(codes) - pairs.groupby("group")["code"].transform("size")
    width = found.shape[1]
    best, chance = ((of_label - of_both).clip(upper=width) / width).mean(), ((of_label - of_both) / others).mean()
    return Precision(len(known), len(names), float(same.mean()), low, high, float(best), float(chance))


def _interval(values: Floats, seed: int) -> tuple[float, float]:
    random = np.random.default_rng([seed, len(values)])
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, INTERVAL)
    return float(low), float(high)
