"""Percentile bootstrap over images (Efron & Tibshirani 1993, section 13.3)."""

import zlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from art_pipeline.common.arrays import Flags, Floats

_CONFIDENCE = (2.5, 97.5)
# The last bits of a sum depend on the processor's vector width; they must not reach a file.
_DECIMALS = 12


def resample_counts(n: int, resamples: int, seed: int, at_once: int = 100) -> Iterator[Floats]:
    """Yield ``(n, b)`` arrays: how often each of n images occurs in each of b resamples of size n.

    Args:
        n: Number of images.
        resamples: Number of resamples.
        seed: Random seed, 0 or more.
        at_once: Largest b, which bounds memory. Results depend on it.
    """
    rng = np.random.default_rng([seed, zlib.crc32(b"bootstrap")])
    for start in range(0, resamples, at_once):
        b = min(at_once, resamples - start)
        cells = rng.integers(0, n, size=(b, n)) + n * np.arange(b)[:, None]
        yield np.bincount(cells.ravel(), minlength=b * n).reshape(b, n).T.astype(np.float64, order="C")


def percentile_intervals(
    statistics: Iterable[Mapping[str, Floats]], names: Iterable[str]
) -> dict[str, dict[str, float | None]]:
    """Return ``{name: {"low", "high"}}``, the 95% intervals of statistics of resamples; None where undefined."""
    parts = list(statistics)
    intervals = {}
    for name in names:
        values = np.concatenate([part[name] for part in parts])
        defined = values[~np.isnan(values)]
        low, high = np.percentile(defined, _CONFIDENCE) if len(defined) else (np.nan, np.nan)
        intervals[name] = {"low": as_number(low), "high": as_number(high)}
    return intervals


def roc_auc(positive: Flags, scores: Floats, counts: Floats) -> Floats:
    """Return the area under the ROC curve on b resamples: ``(b,)``, NaN without positives or negatives.

    This is the Mann-Whitney statistic (Hanley & McNeil 1982): the share of pairs of a positive and a negative image in
    which the positive one has the higher score; ties count half. All resamples share one sort.

    Args:
        positive: (n,) whether the image has the class.
        scores: (n,) scores of the class.
        counts: (n, b) how often each image occurs in each resample.

    >>> roc_auc(np.array([True, False, True]), np.array([0.9, 0.5, 0.5]), np.ones((3, 1)))
    array([0.75])
    """
    order = np.argsort(scores, kind="stable")
    negatives = np.where(positive[:, None], 0.0, counts)
    below = np.vstack([np.zeros(counts.shape[1]), np.cumsum(negatives[order], axis=0)])
    first = np.searchsorted(scores[order], scores[positive], side="left")
    last = np.searchsorted(scores[order], scores[positive], side="right")
    won = (counts[positive] * (below[first] + below[last]) / 2).sum(axis=0)
    pairs = counts[positive].sum(axis=0) * below[-1]
    return np.where(pairs > 0, won / np.maximum(pairs, 1), np.nan)


def mean_defined(values: Floats) -> Floats:
    """Average ``(k, b)`` over k, ignoring NaN; NaN where all values are (without a warning)."""
    defined = ~np.isnan(values)
    n = defined.sum(axis=0)
    return np.where(n > 0, np.where(defined, values, 0.0).sum(axis=0) / np.maximum(n, 1), np.nan)


def as_number(value: float) -> float | None:
    """Round to 12 decimals for JSON; None for NaN."""
    return None if np.isnan(value) else round(float(value), _DECIMALS)
