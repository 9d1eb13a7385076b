"""k-means of a collection, and the number of clusters by the elbow or the silhouette."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Arrays, Floats
from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.progress import progress
from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.errors import DiscoveryError

STARTS, FAST_STARTS = 4, 1  # k-means++ starts of the final fit, and of each one that a rule tries
MINI_BATCH, SAMPLE = 4096, 5000
STEPS = 12  # numbers of clusters that a rule tries

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class KMeansFit(Arrays):
    """Fitted centres.

    Attributes:
        centres: (clusters, dimensions) float32.
    """

    centres: NDArray[np.float32]

    def responsibilities(self, rows: np.ndarray) -> Floats:
        """Return (n, clusters) float64: 1 for the nearest centre and 0 for the others."""
        found: Floats = np.eye(len(self.centres))[self.predict(rows)]
        return found

    def predict(self, rows: np.ndarray) -> Labels:
        """Return the (n,) nearest centre of each of (n, dimensions) rows."""
        found: Labels = self.distances(rows).argmin(axis=1)
        return found

    def distances(self, rows: np.ndarray) -> Floats:
        """Return (n, clusters) Euclidean distances."""
        return distances_to(self.centres, rows)


def distances_to(centres: np.ndarray, rows: np.ndarray) -> Floats:
    """Return the (n, centres) Euclidean distances of (n, dimensions) rows."""
    lengths = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    squares = lengths[:, None] - rows @ (2 * centres).T + (centres.astype(np.float64) ** 2).sum(axis=1)
    distances: Floats = np.sqrt(np.maximum(squares, 0))
    return distances


def fit_kmeans(rows: np.ndarray, options: ClusteringOptions) -> tuple[KMeansFit, list[dict[str, float]]]:
    """Cluster rows, by mini-batches where there are more than ``mini_batch_above``.

    Args:
        rows: (n, dimensions) float32.
        options: ``clusters``, ``max_clusters``, ``mini_batch_above`` and ``seed`` are read.

    Returns:
        The fit, whose clusters are numbered from the largest to the smallest; and a row per number of clusters that a
        rule tried: ``clusters``, ``inertia`` and, for ``silhouette``, ``silhouette``.

    Raises:
        DiscoveryError: There are fewer different rows than clusters.
    """
    tried: list[dict[str, float]] = []
    count = options.clusters
    if isinstance(count, str):
        tried = _try(rows, options)
        count = choose_clusters(tried, count)
    centres = _fit(rows, count, options, STARTS).cluster_centers_
    sizes = np.bincount(KMeansFit(centres).predict(rows), minlength=count)
    return KMeansFit(centres[np.argsort(-sizes, kind="stable")].astype(np.float32)), tried


def choose_clusters(tried: list[dict[str, float]], rule: str) -> int:
    """Return the number of clusters that a rule chooses: the elbow of the inertia, or the largest silhouette.

    Raises:
        DiscoveryError: The curve has no elbow.
    """
    numbers = [int(one["clusters"]) for one in tried]
    if rule == "silhouette":
        return numbers[int(np.argmax([one["silhouette"] for one in tried]))]
    try:
        from kneed import KneeLocator
    except ImportError as error:
        raise DiscoveryError('The elbow needs kneed: run make setup, or pip install ".[discovery]".') from error
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No knee/elbow found")
        locator = KneeLocator(numbers, [one["inertia"] for one in tried], curve="convex", direction="decreasing")
    if locator.elbow is None:
        raise DiscoveryError(
            f"The inertia of {numbers[0]} to {numbers[-1]} clusters has no elbow. Set clusters to a number or to "
            "silhouette, or raise max_clusters."
        )
    return int(locator.elbow)


def require_rows(rows: np.ndarray, clusters: int) -> None:
    """Check that there are as many images as clusters.

    Raises:
        DiscoveryError: There are fewer.
    """
    if clusters > len(rows):
        raise DiscoveryError(f"There are {len(rows)} images: set clusters to at most that, not to {clusters}.")


def candidates(most: int, images: int) -> list[int]:
    """Return the numbers of clusters that a rule tries, from 2, evenly in steps.

    >>> candidates(10, 100)
    [2, 3, 4, 5, 6, 7, 8, 9, 10]
    """
    numbers = np.linspace(2, min(most, images - 1), min(STEPS, most - 1))
    return sorted({round(float(one)) for one in numbers if one >= 2})  # noqa: PLR2004


def _try(rows: np.ndarray, options: ClusteringOptions) -> list[dict[str, float]]:
    from sklearn.metrics import silhouette_score

    sample = _sample(len(rows), SAMPLE, options.seed)
    numbers = candidates(options.max_clusters, len(rows))
    tried = []
    for count in progress(numbers, total=len(numbers), what="Numbers of clusters"):
        fitted = _fit(rows, count, options, FAST_STARTS)
        row = {"clusters": float(count), "inertia": float(fitted.inertia_)}
        if options.clusters == "silhouette":
            labels = KMeansFit(fitted.cluster_centers_).predict(rows[sample])
            is_defined = 1 < len(set(labels)) < len(sample)
            row["silhouette"] = float(silhouette_score(rows[sample], labels)) if is_defined else -1.0
        tried.append(row)
    return tried


def _fit(rows: np.ndarray, clusters: int, options: ClusteringOptions, starts: int) -> Any:
    """Fit scikit-learn's k-means; on one thread, as the order of sums must not change the last bits."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    require_rows(rows, clusters)
    if len(rows) > options.mini_batch_above:
        model = MiniBatchKMeans(clusters, batch_size=MINI_BATCH, n_init=starts, random_state=options.seed)
    else:
        model = KMeans(clusters, n_init=starts, random_state=options.seed)
    try:
        with one_thread_each(), warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            return model.fit(rows)
    except ConvergenceWarning as error:
        raise DiscoveryError(
            f"The {len(rows)} images have fewer different features than {clusters} clusters. Lower clusters."
        ) from error


def _sample(total: int, most: int, seed: int) -> NDArray[np.int64]:
    if total <= most:
        return np.arange(total)
    return np.sort(np.random.default_rng([seed, 2]).choice(total, most, replace=False))
