"""Occlusion maps of any classifier (Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks").

A patch of the image's mean colour covers one part of the image after another. A part on which the prediction depends
lowers the log-odds of the class.
"""

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from art_pipeline.common.batches import batched
from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.explain.options import OcclusionOptions
from art_pipeline.models.classifier import Classifier

LEAST = 1e-7  # of a probability and of its complement
PART = 5  # images that are predicted together; a number of its own, as last digits may depend on it

Images = NDArray[np.uint8]
Boxes = list[tuple[slice, slice]]


def occlusion_map(model: Classifier, pixels: Images, chosen: int, options: OcclusionOptions) -> NDArray[np.float32]:
    """Return the occlusion map of one image.

    Args:
        model: A trained model of any family.
        pixels: (height, width, 3) uint8, RGB.
        chosen: Index of a class.
        options: Size and distance of the patches.

    Returns:
        (height, width) float32: the mean decrease of the log-odds of the class over all patches that cover a pixel; it
        is negative where covering a part raises the score of the class.
    """
    patches = patches_of(pixels.shape[:2], options)
    parts = map_ordered(model.probabilities, batched(_occluded(pixels, patches), PART), cpu_count())
    probabilities = np.concatenate([*parts])[:, chosen]
    scores = logit(np.clip(probabilities, LEAST, 1 - LEAST))
    total, count = np.zeros(pixels.shape[:2]), np.zeros(pixels.shape[:2])
    for patch, decrease in zip(patches, scores[0] - scores[1:], strict=True):
        total[patch] += decrease
        count[patch] += 1
    return (total / count).astype(np.float32)


def patches_of(shape: tuple[int, int], options: OcclusionOptions) -> Boxes:
    """Return patches that cover an image of a height and a width; the first and the last touch its edges.

    >>> [(rows.start, rows.stop) for rows, _ in patches_of((10, 1), OcclusionOptions(patch=0.4, step=0.3))]
    [(0, 4), (3, 7), (6, 10)]
    """
    rows, columns = (_intervals(side, options) for side in shape)
    return [(row, column) for row in rows for column in columns]


def _intervals(side: int, options: OcclusionOptions) -> list[slice]:
    length = max(1, round(side * options.patch))
    step = min(length, max(1, side * options.step))
    starts = np.linspace(0, side - length, ceil((side - length) / step) + 1).round().astype(int)
    return [slice(int(start), int(start) + length) for start in np.unique(starts)]


def _occluded(pixels: Images, patches: Boxes) -> Iterator[Images]:
    """Yield the image as it is, then with each patch in its mean colour."""
    yield pixels
    colour = pixels.mean(axis=(0, 1)).round().astype(np.uint8)
    for patch in patches:
        copy = pixels.copy()
        copy[patch] = colour
        yield copy
