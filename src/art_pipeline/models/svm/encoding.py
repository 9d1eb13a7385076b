"""Encodings of an image's local descriptors as one vector of fixed length.

A codebook models the descriptors of the training images. An encoding describes how those of one image differ from it:
their number near each word (histogram), their offsets from the words (VLAD), or the gradient of the mixture's
parameters (Fisher vector). Moments need no codebook but its principal axes. Chatfield et al. 2011 ("The devil is in
the details") compare such encodings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from art_pipeline.common.arrays import Arrays
from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.progress import parameter
from art_pipeline.errors import ModelError
from art_pipeline.features.dense import LocalDescriptors
from art_pipeline.models.svm.kmeans import half_squared_norms, nearest

Encoding = Literal["histogram", "vlad", "fisher", "moments"]
EPSILON = 1e-9
BLOCK = 2048  # float32 descriptors whose posteriors fit into the caches
EM_ITERATIONS, EM_TOLERANCE = 15, 1e-3
Mixture = tuple[np.ndarray, np.ndarray, np.ndarray]  # weights, means, variances; as in `Codebook`
Spread = Callable[..., Any]  # `map`, or a map over threads in the same order


@dataclass(frozen=True)
class Codebook(Arrays):
    """Principal axes, and a mixture of Gaussians with diagonal covariances.

    Attributes:
        pca_mean: (length,) float32, mean of the descriptors.
        pca_axes: (length, components) float32, principal axes.
        position_scale: Factor of a descriptor's position, which is appended to it; 0 to leave it out.
        weights: (words,) float32, mixture weights; they sum to 1.
        means: (words, dimensions) float32.
        variances: (words, dimensions) float32.
    """

    pca_mean: np.ndarray
    pca_axes: np.ndarray
    position_scale: float
    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def project(self, descriptors: LocalDescriptors) -> np.ndarray:
        """Return (n, dimensions) float32: descriptors on the principal axes, and their scaled positions."""
        projected: np.ndarray = (descriptors.values - self.pca_mean) @ self.pca_axes
        if not self.position_scale:
            return projected
        return np.hstack([projected, (descriptors.positions - 0.5) * self.position_scale])


def fit_codebook(
    sample: LocalDescriptors, components: int, position: float, words: int, seed: int, key: str = "words"
) -> Codebook:
    """Fit principal axes, and a mixture along them.

    The mixture is initialized by k-means and fitted by expectation-maximization (Dempster et al. 1977), in float32
    and with a floor of the variances, which scikit-learn's ``GaussianMixture`` lacks; ``benchmarks/steps.py`` compares
    the two.

    Args:
        sample: Descriptors of training images.
        components: Number of principal axes, at most the length of the descriptors.
        position: Range of the position, from minus to plus this number of standard deviations of the projected
            descriptors; 0 leaves it out (Sánchez et al. 2012, "Modeling the spatial layout of images beyond spatial
            pyramids").
        words: Number of Gaussians.
        seed: Seed of k-means.
        key: Parameter that sets the number of words, for the error.

    Raises:
        ModelError: There are too few descriptors.
    """
    if len(sample.values) < 2 * words:
        raise ModelError(
            f"The training images have {len(sample.values)} descriptors, too few for {words} words. "
            f"Lower {parameter(key)}, or use more images."
        )
    with one_thread_each():  # one order of summation: the same bytes on any number of cores
        mean = sample.values.mean(axis=0)
        _, axes = np.linalg.eigh(np.cov((sample.values - mean).T.astype(np.float64)))
        axes = axes[:, ::-1][:, :components].astype(np.float32)
        scale = 2 * position * float(((sample.values - mean) @ axes).std())
        projection = Codebook(mean, axes, scale, *[np.empty(0, np.float32)] * 3)
        return Codebook(mean, axes, scale, *_fit_mixture(projection.project(sample), words, seed))


def encode(
    descriptors: LocalDescriptors,
    codebook: Codebook,
    encoding: Encoding,
    regions: tuple[int, ...],
    spread: Spread = map,
) -> np.ndarray:
    """Encode an image over a spatial pyramid (Lazebnik et al. 2006).

    Args:
        descriptors: Descriptors of the image.
        codebook: Codebook of the training images.
        encoding: Encoding of each region.
        regions: Grids of the pyramid: ``(1,)`` for the whole image, ``(1, 2)`` for the whole and its quarters.
        spread: How Fisher vectors map over blocks of descriptors; no digit depends on it.

    Returns:
        float32, the regions one after the other, each with signed square roots and L2 norm 1 (Perronnin et al. 2010);
        zeros where a region has no descriptors. Length per region: words for a histogram, words · dimensions for VLAD,
        words · (1 + 2 · dimensions) for a Fisher vector, 3 · dimensions for moments.
    """
    rows = codebook.project(descriptors)
    parts = [_encode(rows[inside], codebook, encoding, spread) for inside in _regions(descriptors.positions, regions)]
    return np.concatenate([_power_normalize(part) for part in parts])


def _regions(positions: np.ndarray, regions: tuple[int, ...]) -> Iterator[np.ndarray]:
    for n in regions:
        column, row = np.minimum((positions * n).astype(np.int64), n - 1).T
        yield from (row * n + column == one for one in range(n * n))


def _encode(rows: np.ndarray, codebook: Codebook, encoding: Encoding, spread: Spread) -> np.ndarray:
    match encoding:
        case "histogram":
            return np.bincount(_nearest(rows, codebook), minlength=len(codebook.means)).astype(np.float32)
        case "vlad":
            return _vlad(rows, codebook)
        case "fisher":
            return _fisher(rows, codebook, spread)
        case "moments":
            return _moments(rows)


def _power_normalize(vector: np.ndarray) -> np.ndarray:
    rooted: np.ndarray = np.sign(vector) * np.sqrt(np.abs(vector))
    return (rooted / max(float(np.linalg.norm(rooted)), EPSILON)).astype(np.float32)


def _nearest(rows: np.ndarray, codebook: Codebook) -> np.ndarray:
    return nearest(rows, codebook.means, half_squared_norms(codebook.means))


def _vlad(rows: np.ndarray, codebook: Codebook) -> np.ndarray:
    """Sum the offsets of the descriptors from their nearest mean (Jégou et al. 2010)."""
    assigned = (_nearest(rows, codebook) == np.arange(len(codebook.means))[:, None]).astype(np.float32)
    offsets: np.ndarray = assigned @ rows - assigned.sum(axis=1, keepdims=True) * codebook.means
    return offsets.ravel()


def _fisher(rows: np.ndarray, codebook: Codebook, spread: Spread) -> np.ndarray:
    """Compute the gradients of the log likelihood by weights, means and deviations (Sánchez et al. 2013, eq. 16-18).

    The gradients by the weights are often left out; only they show whether a word occurs at all.
    """
    count, first, second = _statistics(rows, codebook, spread)
    roots, deviations = np.sqrt(codebook.weights)[:, None], np.sqrt(codebook.variances)
    by_weights = (count - len(rows) * codebook.weights[:, None]) / roots
    by_means = (first - count * codebook.means) / (deviations * roots)
    spread = (second - 2 * codebook.means * first + count * codebook.means**2) / codebook.variances - count
    by_deviations = spread / (np.sqrt(np.float32(2)) * roots)
    gradients: np.ndarray = np.concatenate([by_weights, by_means, by_deviations], axis=None) / max(len(rows), 1)
    return gradients


def _moments(rows: np.ndarray) -> np.ndarray:
    """Compute mean, standard deviation and skewness of each dimension (Stricker & Orengo 1995)."""
    if not len(rows):
        return np.zeros(3 * rows.shape[1], np.float32)
    mean = rows.mean(axis=0)
    centred = rows - mean
    return np.concatenate([mean, np.sqrt((centred**2).mean(axis=0)), np.cbrt((centred**3).mean(axis=0))])


def _statistics(rows: np.ndarray, codebook: Codebook, spread: Spread) -> Mixture:
    """Sum the posteriors of each word over descriptors, and these times descriptors and their squares."""
    words, dimensions = codebook.means.shape
    count, sums = np.zeros((words, 1), np.float32), np.zeros((words, 2 * dimensions), np.float32)

    def of_block(start: int) -> tuple[np.ndarray, np.ndarray]:
        block = _with_squares(rows[start : start + BLOCK])
        posteriors, _ = _posteriors(block, codebook.weights, codebook.means, codebook.variances)
        return posteriors.sum(axis=0)[:, None], posteriors.T @ block

    for block_count, block_sums in spread(of_block, range(0, len(rows), BLOCK)):
        count += block_count
        sums += block_sums
    return count, sums[:, :dimensions], sums[:, dimensions:]


def _with_squares(rows: np.ndarray) -> np.ndarray:
    """Return (n, 2 · dimensions): descriptors, and their squares."""
    count, dimensions = rows.shape
    both = np.empty((count, 2 * dimensions), rows.dtype)
    both[:, :dimensions] = rows
    np.multiply(rows, rows, out=both[:, dimensions:])
    return both


def _posteriors(
    both: np.ndarray, weights: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the (n, words) posteriors of a mixture, and the mean log likelihood up to a constant.

    Args:
        both: (n, 2 · dimensions), as of `_with_squares`.
        weights: (words,).
        means: (words, dimensions).
        variances: (words, dimensions).
    """
    precisions = 1 / variances
    base = np.log(weights) - 0.5 * (np.log(variances) + means**2 * precisions).sum(axis=1)
    logs = both @ np.hstack([means * precisions, -0.5 * precisions]).T + base
    top = logs.max(axis=1, keepdims=True)
    np.exp(np.subtract(logs, top, out=logs), out=logs)
    total = logs.sum(axis=1, keepdims=True)
    return np.divide(logs, total, out=logs), float((np.log(total) + top).mean())


def _fit_mixture(rows: np.ndarray, words: int, seed: int) -> Mixture:
    """Fit the mixture, starting from scikit-learn's k-means.

    Its k-means++ seeds matter for a few Gaussians: from the random vectors that suffice for a vocabulary of hundreds of
    words (`art_pipeline.models.svm.kmeans`), the mixture can end in a worse optimum.
    """
    from sklearn.cluster import MiniBatchKMeans

    kmeans = MiniBatchKMeans(words, batch_size=8192, max_iter=10, n_init=1, random_state=seed).fit(rows)
    posteriors = np.zeros((len(rows), words), np.float32)
    posteriors[np.arange(len(rows)), kmeans.labels_] = 1
    floor, previous, both = 1e-3 * rows.var(axis=0), -np.inf, _with_squares(rows)
    for _ in range(EM_ITERATIONS):
        mixture = _maximize(rows, posteriors, floor)
        posteriors, likelihood = _posteriors(both, *mixture)
        if likelihood - previous < EM_TOLERANCE:
            break
        previous = likelihood
    return mixture


def _maximize(rows: np.ndarray, posteriors: np.ndarray, floor: np.ndarray) -> Mixture:
    """Return the mixture that fits the posteriors; ``floor`` keeps variances from collapsing to single descriptors."""
    count = posteriors.sum(axis=0)[:, None] + EPSILON
    means = posteriors.T @ rows / count
    variances = np.maximum(posteriors.T @ (rows * rows) / count - means**2, floor)
    return (count / count.sum()).ravel(), means, variances
