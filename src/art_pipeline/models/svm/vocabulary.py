"""Visual vocabulary (Sivic & Zisserman 2003; Csurka et al. 2004): descriptors to word histograms."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.options import Options
from art_pipeline.common.progress import parameter, progress
from art_pipeline.errors import ModelError
from art_pipeline.features.store import FeatureStore
from art_pipeline.models.svm.kmeans import half_squared_norms, kmeans, nearest, shuffle

Weighting = Literal["count", "frequency", "hellinger"]


class VocabularyOptions(Options):
    """Clustering of descriptors into visual words.

    Attributes:
        words: Size of the vocabulary.
        max_descriptors: Maximum number of descriptors to cluster, sampled evenly from the training images; 128 bytes
            of memory each.
        iterations: Iterations of k-means per stage; see `art_pipeline.models.svm.kmeans.kmeans`.
        seed: Seed of the sampling and of k-means.
    """

    words: int = Field(default=500, ge=2)
    max_descriptors: int = Field(default=1_000_000, ge=2)
    iterations: int = Field(default=3, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)


def fit_vocabulary(descriptors: FeatureStore, object_ids: Sequence[int], options: VocabularyOptions) -> np.ndarray:
    """Cluster the descriptors of the training images.

    Args:
        descriptors: FeatureStore of at least these images.
        object_ids: Ids of the training images.
        options: Size, sampling and seed.

    Returns:
        (words, length) float32, the cluster centres.

    Raises:
        ModelError: There are fewer descriptors than words.
    """
    sample = sample_descriptors(descriptors, object_ids, options.max_descriptors, options.seed)
    if len(sample) < options.words:
        raise ModelError(
            f"The {len(object_ids)} training images have {len(sample)} local descriptors, too few for "
            f"{options.words} words. Lower {parameter('vocabulary.words')}, or use more images."
        )
    shuffle(sample, options.seed)
    return kmeans(sample, options.words, options.iterations, options.seed)


def sample_descriptors(descriptors: FeatureStore, object_ids: Sequence[int], limit: int, seed: int) -> np.ndarray:
    """Sample descriptors evenly from images, with a random stream per image.

    Returns:
        (n, length) with n at most ``limit``.
    """
    per_image = max(1, limit // max(1, len(object_ids)))
    counts = np.minimum(descriptors.counts_of(object_ids), per_image)
    rows = np.empty((counts.sum(), descriptors.length), descriptors.values.dtype)
    blocks = descriptors.rows_of(object_ids)
    for one, block, end, count in zip(object_ids, blocks, np.cumsum(counts), counts, strict=True):
        rows[end - count : end] = _sample(block, per_image, np.random.default_rng([seed, one]))
    if len(rows) <= limit:
        return rows
    evenly: np.ndarray = rows[np.linspace(0, len(rows) - 1, limit).astype(int)]  # more images than ``limit``
    return evenly


def _sample(rows: np.ndarray, limit: int, rng: np.random.Generator) -> np.ndarray:
    return rows[np.sort(rng.choice(len(rows), limit, replace=False))] if len(rows) > limit else rows


def word_histograms(descriptors: Iterable[np.ndarray], total: int, vocabulary: np.ndarray) -> np.ndarray:
    """Count the words of each image.

    Args:
        descriptors: (n, length) local descriptors of each image.
        total: Number of images.
        vocabulary: (words, length) float32.

    Returns:
        (images, words) float32; a row of zeros for an image without key points.
    """
    counts = list(progress(count_words(descriptors, vocabulary), total=total, what="histograms"))
    return np.array(counts, np.float32).reshape(len(counts), len(vocabulary))


def count_words(descriptors: Iterable[np.ndarray], vocabulary: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the (words,) float32 counts of each image, in order, on all cores; see `word_histograms`."""
    half_norms = half_squared_norms(vocabulary)

    def count(rows: np.ndarray) -> np.ndarray:
        return np.bincount(nearest(rows, vocabulary, half_norms), minlength=len(vocabulary)).astype(np.float32)

    return map_ordered(count, descriptors, cpu_count())


def weight_histograms(counts: np.ndarray, weighting: Weighting) -> np.ndarray:
    """Weight histograms, so that images with many and with few key points are comparable.

    Args:
        counts: (images, words), at least 0.
        weighting: ``count`` returns the counts; ``frequency`` L1-normalizes them; ``hellinger`` takes the square root
            of the frequencies, whose Euclidean distance is Hellinger's (Arandjelović & Zisserman 2012).

    Returns:
        (images, words) float64; rows of zeros stay zeros.

    Examples:
        >>> weight_histograms(np.array([[4, 12], [0, 0]]), "frequency").tolist()
        [[0.25, 0.75], [0.0, 0.0]]
    """
    weighted: np.ndarray = counts.astype(np.float64)
    if weighting != "count":
        weighted /= np.maximum(weighted.sum(axis=1, keepdims=True), 1.0)
    return np.sqrt(weighted) if weighting == "hellinger" else weighted
