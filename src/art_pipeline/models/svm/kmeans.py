"""k-means (Lloyd 1982) for millions of short vectors, on all cores, with the same result for any number of them.

``python benchmarks/steps.py vocabulary`` compares it with scikit-learn's ``MiniBatchKMeans``.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.progress import progress

FIRST_SAMPLE, GROWTH = 32, 4  # vectors per cluster in the first stage, and growth of the sample per stage
ASSIGN_BLOCK = 1024  # vectors whose distances to all centres fit into the caches
SUM_BLOCK = 1 << 14  # vectors that are summed at a time
SHUFFLE_COLUMNS = 16  # columns that are permuted at a time


def kmeans(rows: np.ndarray, clusters: int, iterations: int, seed: int) -> np.ndarray:
    """Cluster vectors by k-means on growing samples.

    The first stage sees 32 vectors per cluster, each further one four times as many, and the last one, of a single
    iteration, sees all vectors: while centres are far from their optimum, a sample moves them as well as the whole
    (Newling & Fleuret 2016, "Nested mini-batch k-means"). An empty cluster restarts at a random vector.

    Args:
        rows: (n, dimensions), n at least ``clusters``, in random order: the first rows are the initial centres and the
            first sample; see `shuffle`.
        clusters: Number of clusters.
        iterations: Iterations per stage, except the last stage.
        seed: Seed of the restarts.

    Returns:
        (clusters, dimensions) float32, the centres.

    Examples:
        >>> rows = np.array([[0, 0], [9, 9], [0, 2], [9, 7]], np.uint8)
        >>> kmeans(rows, clusters=2, iterations=1, seed=0).tolist()
        [[0.0, 1.0], [9.0, 8.0]]
    """
    rng = np.random.default_rng(seed)
    centres = rows[:clusters].astype(np.float32)
    stages = list(_sample_sizes(len(rows), clusters, iterations))
    with one_thread_each():  # one block per core
        for size in progress(stages, total=len(stages), what="k-means"):
            centres = _update(rows[:size], centres, rng)
    return centres


def shuffle(rows: np.ndarray, seed: int) -> None:
    """Permute the rows of a (n, dimensions) array in place, without a second copy of the array."""
    order = np.random.default_rng(seed).permutation(len(rows))
    for start in range(0, rows.shape[1], SHUFFLE_COLUMNS):
        rows[:, start : start + SHUFFLE_COLUMNS] = rows[order, start : start + SHUFFLE_COLUMNS]


def nearest(rows: np.ndarray, centres: np.ndarray, half_norms: np.ndarray) -> np.ndarray:
    """Return the (n,) int64 index of the centre nearest to each vector.

    Args:
        rows: (n, dimensions).
        centres: (k, dimensions) float32.
        half_norms: (k,); see `half_squared_norms`.
    """
    # |d - c|² = |d|² - 2 (d·c - |c|²/2), and |d|² is the same for all centres.
    labels: np.ndarray = np.argmax(rows.astype(np.float32, copy=False) @ centres.T - half_norms, axis=1)
    return labels


def half_squared_norms(centres: np.ndarray) -> np.ndarray:
    """Return half the squared norm of each of (k, dimensions) vectors."""
    norms: np.ndarray = 0.5 * np.einsum("ij,ij->i", centres, centres)
    return norms


def _sample_sizes(total: int, clusters: int, iterations: int) -> Iterator[int]:
    """Yield the number of vectors that each iteration sees."""
    size = FIRST_SAMPLE * clusters
    while size < total:
        yield from [size] * iterations
        size *= GROWTH
    yield total


def _update(rows: np.ndarray, centres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the mean of the vectors nearest to each centre."""
    labels = _assign(rows, centres)
    counts = np.bincount(labels, minlength=len(centres))
    empty = counts == 0
    means = (_sums(rows, labels, len(centres)) / np.maximum(counts, 1)[:, None]).astype(np.float32)
    means[empty] = rows[rng.integers(len(rows), size=int(empty.sum()))]
    return means


def _assign(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    assign = partial(nearest, centres=centres, half_norms=half_squared_norms(centres))
    return np.concatenate(list(map_ordered(assign, _blocks(rows, ASSIGN_BLOCK), cpu_count())))


def _sums(rows: np.ndarray, labels: np.ndarray, clusters: int) -> np.ndarray:
    """Return the (clusters, dimensions) float64 sums of the vectors of each cluster, added in the order of the rows."""
    from scipy.sparse import csr_matrix  # a third of a second, and every command imports this module

    def add(block: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        vectors, cluster = block
        entries = np.ones(len(cluster), np.float32), (cluster, np.arange(len(cluster)))
        sums: np.ndarray = csr_matrix(entries, (clusters, len(cluster))) @ vectors.astype(np.float32)
        return sums

    blocks = zip(_blocks(rows, SUM_BLOCK), _blocks(labels, SUM_BLOCK), strict=True)
    total = np.zeros((clusters, rows.shape[1]), np.float64)
    for sums in map_ordered(add, blocks, cpu_count()):
        total += sums
    return total


def _blocks(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
