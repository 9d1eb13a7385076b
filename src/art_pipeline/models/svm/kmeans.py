"""k-means (Lloyd 1982) for millions of short vectors: on all cores, and with the same bytes on any number of them."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.progress import progress

# Vectors for each centre that the first iterations look at, and how much more each stage after them.
FIRST, GROWTH = 32, 4
# Vectors that are weighed against all centres at once: what the caches hold.
BLOCK = 1024
# Vectors that are summed at once.
PART = 1 << 14
# Of the vectors, so many numbers change places at once.
COLUMNS = 16


def cluster(rows: np.ndarray, centres: int, iterations: int, seed: int) -> np.ndarray:
    """Find centres near which the vectors lie.

    The first iterations see a few vectors for each centre, drawn at random, the next ones four times as
    many, and the last round sees all: where centres are still far from their places, a part tells
    as well as the whole where to go (Newling & Fleuret 2016, "Nested mini-batch k-means"). A centre
    that is left without vectors begins anew at a random one.

    Args:
        rows: (n, dimensions) of any type of number, at least ``centres`` of them, in random order:
            the first ones are the centres to begin with, and what the first iterations see; see `shuffle`.
        centres: How many centres.
        iterations: Of assignment and averaging at each stage but the last.
        seed: Of the vectors at which centres begin anew.

    Returns:
        (centres, dimensions) float32.
    """
    stream = np.random.default_rng(seed)
    found = rows[:centres].astype(np.float32)
    stages = list(_stages(len(rows), centres, iterations))
    with one_thread_each():  # a block a core
        for seen in progress(stages, total=len(stages), what="k-means"):
            found = _moved(rows[:seen], found, stream)
    return found


def shuffle(rows: np.ndarray, seed: int) -> None:
    """Put (n, dimensions) vectors into a random order, in place and without a second copy of all."""
    order = np.random.default_rng(seed).permutation(len(rows))
    for start in range(0, rows.shape[1], COLUMNS):
        rows[:, start : start + COLUMNS] = rows[order, start : start + COLUMNS]


def nearest(rows: np.ndarray, centres: np.ndarray, half_norms: np.ndarray) -> np.ndarray:
    """(n,) int64: the number of the centre that each vector is nearest to.

    Args:
        rows: (n, dimensions).
        centres: (k, dimensions) float32.
        half_norms: As `half_squared_norms` gives them.
    """
    # |d - c|² = |d|² - 2 (d·c - |c|²/2), and |d|² is the same for all.
    return np.argmax(rows.astype(np.float32, copy=False) @ centres.T - half_norms, axis=1)


def half_squared_norms(centres: np.ndarray) -> np.ndarray:
    """(k,) of (k, dimensions)."""
    return 0.5 * np.einsum("ij,ij->i", centres, centres)


def _stages(total: int, centres: int, iterations: int) -> Iterator[int]:
    """How many vectors each round sees."""
    seen = FIRST * centres
    while seen < total:
        yield from [seen] * iterations
        seen *= GROWTH
    yield total


def _moved(rows: np.ndarray, centres: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Each centre at the mean of the vectors that are nearest to it."""
    words = _assign(rows, centres)
    counts = np.bincount(words, minlength=len(centres))
    empty = counts == 0
    means = (_sums(rows, words, len(centres)) / np.maximum(counts, 1)[:, None]).astype(np.float32)
    means[empty] = rows[stream.integers(len(rows), size=int(empty.sum()))]
    return means


def _assign(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    weigh = partial(nearest, centres=centres, half_norms=half_squared_norms(centres))
    return np.concatenate(list(map_ordered(weigh, _parts(rows, BLOCK), cpu_count())))


def _sums(rows: np.ndarray, words: np.ndarray, centres: int) -> np.ndarray:
    """(centres, dimensions) float64: the vectors of each centre added up, in the order of the rows."""
    from scipy.sparse import csr_matrix  # takes a third of a second, and every command imports this module

    def add(part: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        of_part, number = part
        entries = np.ones(len(number), np.float32), (number, np.arange(len(number)))
        return csr_matrix(entries, (centres, len(number))) @ of_part.astype(np.float32)

    parts = zip(_parts(rows, PART), _parts(words, PART), strict=True)
    total = np.zeros((centres, rows.shape[1]), np.float64)
    for one in map_ordered(add, parts, cpu_count()):
        total += one
    return total


def _parts(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
