"""A map of a collection: t-SNE in two dimensions, and the places of further images without a new fit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Arrays
from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.discovery.nearest import nearest, unit_rows
from art_pipeline.discovery.options import MapOptions
from art_pipeline.errors import DiscoveryError

LEAST_IMAGES = 10
START_SPREAD = 1e-4  # standard deviation of the initial positions, as openTSNE takes them
EXAGGERATION_SHARE = 4  # of the iterations, a quarter as many with early exaggeration
FFT_ABOVE = 2000  # images; Barnes-Hut is faster below
PLACED_BY = 5  # neighbours of a further image
DIGITS = 5


@dataclass(frozen=True)
class CollectionMap(Arrays):
    """Positions of images, and what places further ones.

    Attributes:
        positions: (n, 2) float64 in 0..1, x to the right and y upwards.
        anchors: (n, dimensions) float32, the images' rows of unit length.
        members: (n,) int64, positions of the map's images among all images.
    """

    positions: NDArray[np.float64]
    anchors: NDArray[np.float32]
    members: NDArray[np.int64]

    def place(self, rows: np.ndarray) -> NDArray[np.float64]:
        """Return (m, 2) positions of (m, dimensions) rows of the space: the median of those of the 5 nearest images."""
        found = nearest(unit_rows(rows), self.anchors, PLACED_BY).indices
        placed: NDArray[np.float64] = np.median(self.positions[found], axis=1).round(DIGITS)
        return placed


def fit_map(rows: np.ndarray, options: MapOptions, seed: int) -> CollectionMap:
    """Place images so that similar ones are near to each other (t-SNE; openTSNE, Poličar, Stražar & Zupan 2024).

    Neighbours are exact, by cosine similarity; the initial positions are the first two principal components. One thread
    computes it, so that the same rows give the same positions.

    Args:
        rows: (n, dimensions) float32 rows of the clustered space.
        options: Perplexity, iterations, and the size from which a random sample is placed.
        seed: Seed of the sample.

    Raises:
        DiscoveryError: There are fewer than ten images.
    """
    if len(rows) < LEAST_IMAGES:
        raise DiscoveryError(f"A map needs at least {LEAST_IMAGES} images, and there are {len(rows)}. Set map to null.")
    members = np.arange(len(rows))
    if len(rows) > options.max_images:
        rng = np.random.default_rng([seed, 6])
        members = np.sort(rng.choice(len(rows), options.max_images, replace=False))
    anchors = unit_rows(rows[members])
    with one_thread_each():
        positions = _embed(anchors, options, seed)
    low = positions.min(axis=0)
    spread = np.maximum((positions.max(axis=0) - low).max(), np.finfo(np.float64).tiny)
    return CollectionMap(((positions - low) / spread).round(DIGITS), anchors, members)


def _embed(rows: NDArray[np.float32], options: MapOptions, seed: int) -> NDArray[np.float64]:
    try:
        from openTSNE import TSNE
        from openTSNE.affinity import PerplexityBasedNN
        from openTSNE.nearest_neighbors import PrecomputedNeighbors
    except ImportError as error:
        raise DiscoveryError('A map needs openTSNE: run make setup, or pip install ".[discovery]".') from error

    perplexity = min(options.perplexity, (len(rows) - 1) / 3)
    found = nearest(rows, rows, min(int(3 * perplexity) + 1, len(rows)))
    distances = np.sqrt(np.maximum(2 - 2 * found.similarities, 0)).astype(np.float64)
    own = found.indices[:, 0] == np.arange(len(rows))
    index = PrecomputedNeighbors(*_without_self(found.indices, distances, own))
    affinities = PerplexityBasedNN(perplexity=perplexity, knn_index=index, n_jobs=1)
    tsne = TSNE(
        n_iter=options.iterations,
        early_exaggeration_iter=options.iterations // EXAGGERATION_SHARE,
        negative_gradient_method="fft" if len(rows) > FFT_ABOVE else "bh",
        n_jobs=1,
        random_state=seed,
    )
    return np.asarray(tsne.fit(affinities=affinities, initialization=_start(rows)), np.float64)


def _without_self(
    indices: NDArray[np.int64], distances: NDArray[np.float64], first: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Drop each row itself, which is not the first of its neighbours where other rows are equal."""
    rows = np.arange(len(indices))
    place = np.where(first, 0, np.argmax(indices == rows[:, None], axis=1))
    missing = indices[rows, place] != rows
    place[missing] = indices.shape[1] - 1  # equal rows fill its neighbours: drop the last one
    keep = np.ones(indices.shape, bool)
    keep[rows, place] = False
    shape = (len(indices), indices.shape[1] - 1)
    return indices[keep].reshape(shape), distances[keep].reshape(shape)


def _start(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the first two principal components, with a standard deviation of 1e-4."""
    centred = (rows - rows.mean(axis=0)).astype(np.float64)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    first = vectors[:, ::-1][:, :2]
    signs = np.sign(first[np.abs(first).argmax(axis=0), np.arange(first.shape[1])])
    start = np.zeros((len(rows), 2))
    start[:, : first.shape[1]] = centred @ (first * signs)
    deviation = max(float(start[:, 0].std()), np.finfo(np.float64).tiny)
    return start / deviation * START_SPREAD
