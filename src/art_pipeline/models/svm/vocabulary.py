"""Visual words (Sivic & Zisserman 2003; Csurka et al. 2004): descriptors to histograms."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.options import Options
from art_pipeline.common.progress import parameter, progress
from art_pipeline.errors import ModelError
from art_pipeline.features.sift import SIZE, Descriptors
from art_pipeline.models.svm.kmeans import cluster, half_squared_norms, nearest, shuffle

Weighting = Literal["count", "frequency", "hellinger"]


class VocabularyOptions(Options):
    """How descriptors become words.

    Attributes:
        words: Size of the vocabulary.
        max_descriptors: At most so many descriptors of training images are clustered,
            drawn evenly over the images; 128 bytes of memory each.
        iterations: Of k-means at each of its stages but the last; see `art_pipeline.models.svm.kmeans.cluster`.
        seed: Seed of the draw and of k-means.
    """

    words: int = Field(default=500, ge=2)
    max_descriptors: int = Field(default=1_000_000, ge=2)
    iterations: int = Field(default=3, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)


def learn_vocabulary(descriptors: Descriptors, object_ids: Sequence[int], options: VocabularyOptions) -> np.ndarray:
    """Cluster the descriptors of images; see `art_pipeline.models.svm.kmeans.cluster`.

    Args:
        descriptors: Of at least the images named.
        object_ids: The training images, and no others.
        options: Size, draw and seed.

    Returns:
        (words, 128) float32, the centres.

    Raises:
        ModelError: There are fewer descriptors than words.
    """
    sample = sample_descriptors(descriptors, object_ids, options.max_descriptors, options.seed)
    if len(sample) < options.words:
        raise ModelError(
            f"The {len(object_ids)} training images have {len(sample)} SIFT descriptors, too few for "
            f"{options.words} words. Lower {parameter('vocabulary.words')}, or use more images."
        )
    shuffle(sample, options.seed)
    return cluster(sample, options.words, options.iterations, options.seed)


def sample_descriptors(descriptors: Descriptors, object_ids: Sequence[int], most: int, seed: int) -> np.ndarray:
    """Draw descriptors evenly over images.

    Each image has its own random stream: another image, or its absence, does not change
    which of this one's are drawn, as long as the number for each stays.

    Returns:
        (n, 128) uint8 with n at most ``most``.
    """
    each = max(1, most // max(1, len(object_ids)))
    rows = np.empty((sum(min(descriptors.count_of(one), each) for one in object_ids), SIZE), np.uint8)
    start = 0
    for one in object_ids:
        drawn = _draw(descriptors[one], each, np.random.default_rng([seed, one]))
        rows[start : start + len(drawn)] = drawn
        start += len(drawn)
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(int)]  # more images than ``most``: every so many


def _draw(rows: np.ndarray, most: int, stream: np.random.Generator) -> np.ndarray:
    return rows[np.sort(stream.choice(len(rows), most, replace=False))] if len(rows) > most else rows


def histograms(descriptor_sets: Iterable[np.ndarray], total: int, vocabulary: np.ndarray) -> np.ndarray:
    """Count each image's words.

    Args:
        descriptor_sets: (n, 128) uint8 for each image.
        total: The number of images.
        vocabulary: (words, 128) float32.

    Returns:
        (images, words) float32 of counts; a row of zeros for an image without key points.
    """
    half_norms = half_squared_norms(vocabulary)

    def count(rows: np.ndarray) -> np.ndarray:
        return np.bincount(nearest(rows, vocabulary, half_norms), minlength=len(vocabulary)).astype(np.float32)

    counted = map_ordered(count, descriptor_sets, cpu_count())
    rows = list(progress(counted, total=total, what="histograms"))
    return np.array(rows, np.float32).reshape(len(rows), len(vocabulary))


def weight(counts: np.ndarray, weighting: Weighting) -> np.ndarray:
    """Make histograms comparable between images with many and with few key points.

    Args:
        counts: (images, words), 0 or more.
        weighting: ``count`` leaves them; ``frequency`` divides by the sum (L1);
            ``hellinger`` takes the square root of that (Arandjelović & Zisserman 2012, who
            do so to descriptors: Euclidean distance then is Hellinger's).

    Returns:
        The same shape, float64; rows of zeros stay zeros.
    """
    counts = counts.astype(np.float64)
    if weighting == "count":
        return counts
    frequencies = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return np.sqrt(frequencies) if weighting == "hellinger" else frequencies
