"""Many descriptors of an image to one vector of fixed length.

Each encoding is a way to tell how an image's descriptors differ from what is usual in the
training images: how many are near each word (histogram), where they lie around it (VLAD), how a
mixture of Gaussians would have to change to fit them (Fisher vector), or their moments alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from art_pipeline.common.arrays import Arrays
from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.progress import parameter
from art_pipeline.errors import ModelError
from art_pipeline.features.dense import Described
from art_pipeline.models.svm.kmeans import half_squared_norms, nearest

Encoding = Literal["histogram", "vlad", "fisher", "moments"]
TINY = 1e-9
# Rows of float32 that are weighed against all words at once: what the caches hold.
BLOCK = 2048
EM_ROUNDS, EM_GAIN = 15, 1e-3


@dataclass(frozen=True)
class Codebook(Arrays):
    """What is usual in the training images.

    Attributes:
        mean: (size,) float32, of the descriptors.
        axes: (size, components) float32, their principal axes.
        place: Factor of a descriptor's place, which is appended to it; 0 where it is not.
        weights: (words,) float32, share of each word; they sum to 1.
        centres: (words, dimensions) float32.
        variances: (words, dimensions) float32, along each dimension.
    """

    mean: np.ndarray
    axes: np.ndarray
    place: float
    weights: np.ndarray
    centres: np.ndarray
    variances: np.ndarray

    def project(self, described: Described) -> np.ndarray:
        """(n, dimensions) float32: the descriptors along their axes, and their places."""
        projected = (described.rows - self.mean) @ self.axes
        return np.hstack([projected, (described.places - 0.5) * self.place]) if self.place else projected


def learn_codebook(
    sample: Described, components: int, position: float, words: int, seed: int, key: str = "words"
) -> Codebook:
    """Principal axes, and a mixture of Gaussians with diagonal covariances along them.

    The mixture starts at k-means (MacQueen 1967) and is fitted by expectation and maximisation
    (Dempster et al. 1977).

    Args:
        sample: Descriptors of training images, and of no others.
        components: Principal axes that are kept, at most as many as descriptors are wide.
        position: How much a place counts against the spread of the rest; 0 leaves it out
            (Sánchez et al. 2012, "Modeling the spatial layout of images beyond spatial pyramids").
        words: Gaussians.
        seed: Of k-means.
        key: The parameter that says how many words, for the error.

    Raises:
        ModelError: There are too few descriptors.
    """
    if len(sample.rows) < 2 * words:
        raise ModelError(
            f"The training images have {len(sample.rows)} descriptors, too few for {words} words. "
            f"Lower {parameter(key)}, or use more images."
        )
    with one_thread_each():  # sums in one order only: the same bytes on any number of cores
        mean = sample.rows.mean(axis=0)
        _, axes = np.linalg.eigh(np.cov((sample.rows - mean).T.astype(np.float64)))
        axes = axes[:, ::-1][:, :components].astype(np.float32)
        spread = float(((sample.rows - mean) @ axes).std())
        bare = Codebook(mean, axes, 2 * position * spread, *[np.empty(0, np.float32)] * 3)
        return Codebook(mean, axes, bare.place, *_fit_mixture(bare.project(sample), words, seed))


def encode(described: Described, codebook: Codebook, encoding: Encoding, regions: tuple[int, ...]) -> np.ndarray:
    """Encode an image, as a whole and in parts of it (spatial pyramid, Lazebnik et al. 2006).

    Args:
        described: Its descriptors.
        codebook: Of the training images.
        encoding: How.
        regions: ``(1,)`` for the whole, ``(1, 2)`` for the whole and 2 by 2 quarters, and so on.

    Returns:
        float32: for each region, the square root of each number with its sign (power
        normalisation), brought to length 1 (Perronnin et al. 2010); zeros where a region has no
        descriptors. Numbers of a region: words of a histogram, words · dimensions of VLAD,
        words · (1 + 2 · dimensions) of a Fisher vector, 3 · dimensions of moments.
    """
    rows = codebook.project(described)
    parts = [_encode(rows[inside], codebook, encoding) for inside in _regions(described.places, regions)]
    return np.concatenate([_normalised(part) for part in parts])


def _regions(places: np.ndarray, regions: tuple[int, ...]) -> Iterator[np.ndarray]:
    for n in regions:
        column, row = np.minimum((places * n).astype(np.int64), n - 1).T
        yield from (row * n + column == one for one in range(n * n))


def _encode(rows: np.ndarray, codebook: Codebook, encoding: Encoding) -> np.ndarray:
    match encoding:
        case "histogram":
            return np.bincount(_nearest(rows, codebook), minlength=len(codebook.centres)).astype(np.float32)
        case "vlad":
            return _vlad(rows, codebook)
        case "fisher":
            return _fisher(rows, codebook)
        case "moments":
            return _moments(rows)


def _normalised(vector: np.ndarray) -> np.ndarray:
    rooted = np.sign(vector) * np.sqrt(np.abs(vector))
    return (rooted / max(float(np.linalg.norm(rooted)), TINY)).astype(np.float32)


def _nearest(rows: np.ndarray, codebook: Codebook) -> np.ndarray:
    return nearest(rows, codebook.centres, half_squared_norms(codebook.centres))


def _vlad(rows: np.ndarray, codebook: Codebook) -> np.ndarray:
    """Sums of what descriptors lie off their nearest centre (Jégou et al. 2010)."""
    nearest, words = _nearest(rows, codebook), np.arange(len(codebook.centres))
    belongs = (nearest == words[:, None]).astype(np.float32)
    return (belongs @ rows - belongs.sum(axis=1, keepdims=True) * codebook.centres).ravel()


def _fisher(rows: np.ndarray, codebook: Codebook) -> np.ndarray:
    """Gradients of the mixture's log likelihood by its weights, means and deviations (Sánchez et al. 2013, eq. 16-18).

    Those by the weights are few, and often left out; yet they alone tell of a word that is simply there or not.
    """
    count, first, second = _statistics(rows, codebook)
    roots, deviations = np.sqrt(codebook.weights)[:, None], np.sqrt(codebook.variances)
    share = (count - len(rows) * codebook.weights[:, None]) / roots
    shift = (first - count * codebook.centres) / (deviations * roots)
    spread = (second - 2 * codebook.centres * first + count * codebook.centres**2) / codebook.variances - count
    gradients = np.concatenate([share, shift, spread / (np.sqrt(np.float32(2)) * roots)], axis=None)
    return gradients / max(len(rows), 1)


def _moments(rows: np.ndarray) -> np.ndarray:
    """Mean, deviation and skewness of each dimension (colour moments, Stricker & Orengo 1995)."""
    if not len(rows):
        return np.zeros(3 * rows.shape[1], np.float32)
    mean = rows.mean(axis=0)
    apart = rows - mean
    return np.concatenate([mean, np.sqrt((apart**2).mean(axis=0)), np.cbrt((apart**3).mean(axis=0))])


def _statistics(rows: np.ndarray, codebook: Codebook) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over descriptors of their share in each word: of 1, of themselves, of their squares."""
    words, dimensions = codebook.centres.shape
    count, sums = np.zeros((words, 1), np.float32), np.zeros((words, 2 * dimensions), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        shares, _ = _shares(block, codebook.weights, codebook.centres, codebook.variances)
        count += shares.sum(axis=0)[:, None]
        sums += shares.T @ np.hstack([block, block * block])
    return count, sums[:, :dimensions], sums[:, dimensions:]


def _shares(rows: np.ndarray, weights: np.ndarray, centres: np.ndarray, variances: np.ndarray):
    """(n, words) posteriors of a mixture, and the mean log likelihood up to a constant."""
    precise = 1 / variances
    base = np.log(weights) - 0.5 * (np.log(variances) + centres**2 * precise).sum(axis=1)
    logs = np.hstack([rows, rows * rows]) @ np.hstack([centres * precise, -0.5 * precise]).T + base
    top = logs.max(axis=1, keepdims=True)
    np.exp(np.subtract(logs, top, out=logs), out=logs)
    total = logs.sum(axis=1, keepdims=True)
    return np.divide(logs, total, out=logs), float((np.log(total) + top).mean())


def _fit_mixture(rows: np.ndarray, words: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, centres and variances of a mixture."""
    from sklearn.cluster import MiniBatchKMeans

    kmeans = MiniBatchKMeans(words, batch_size=8192, max_iter=10, n_init=1, random_state=seed).fit(rows)
    shares = np.zeros((len(rows), words), np.float32)
    shares[np.arange(len(rows)), kmeans.labels_] = 1
    floor, known = 1e-3 * rows.var(axis=0), -np.inf
    for _ in range(EM_ROUNDS):
        mixture = _maximise(rows, shares, floor)
        shares, likelihood = _shares(rows, *mixture)
        if likelihood - known < EM_GAIN:
            break
        known = likelihood
    return mixture


def _maximise(rows: np.ndarray, shares: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mixture that fits these shares; no narrower than ``floor``, lest it sits on single descriptors."""
    count = shares.sum(axis=0)[:, None] + TINY
    centres = shares.T @ rows / count
    variances = np.maximum(shares.T @ (rows * rows) / count - centres**2, floor)
    return (count / count.sum()).ravel(), centres, variances
