"""Features of regions of images: the cells of a grid, whatever their sizes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.batches import batched
from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.common.progress import progress
from art_pipeline.discovery.collection import Collection, pixels_of
from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.models.features import StoredExtractors

PLACES = {2: (("top", "bottom"), ("left", "right")), 3: (("top", "middle", "bottom"), ("left", "centre", "right"))}
BLOCK = 8  # images whose regions are described at a time

Images = NDArray[np.uint8]


def region_rows(
    collection: Collection, names: Sequence[str], pixels: int | None, grid: int
) -> dict[str, NDArray[np.float32]]:
    """Compute features of the regions of all images.

    Args:
        collection: The images, with the stores whose extractors are used. Call ``prepare_keras`` before, if one is a
            network.
        names: Blocks of features; each has the same weight.
        pixels: Without blocks, side to which regions are resized, whose pixels are the features.
        grid: Rows and columns of the grid, 2 or 3.

    Returns:
        (n, length) float32 rows of unit length, by the name of the region, such as ``top left``.
    """
    read = (collection.read_image(one) for one in collection.object_ids.tolist())
    images = progress(read, total=len(collection.object_ids), what="Regions")
    described = StoredExtractors({name: collection.stores[name].folder for name in names})
    with one_thread_each():
        found = np.concatenate([_describe(block, described, pixels) for block in _blocks(images, grid)])
    rows, columns = PLACES[grid]
    cells = [f"{row} {column}" for row in rows for column in columns]
    return {name: np.ascontiguousarray(found[place :: len(cells)]) for place, name in enumerate(cells)}


def cut(image: Images, grid: int) -> list[Images]:
    """Return the grid² regions of a (height, width, 3) image, row by row; each has a pixel or more.

    >>> [one.shape[:2] for one in cut(np.zeros((5, 4, 3), np.uint8), 2)]
    [(2, 2), (2, 2), (3, 2), (3, 2)]
    """
    across, along = (np.arange(grid + 1) * side // grid for side in image.shape[:2])
    return [
        image[top : max(bottom, top + 1), left : max(right, left + 1)]
        for top, bottom in pairwise(across)
        for left, right in pairwise(along)
    ]


def together(parts: Sequence[np.ndarray]) -> NDArray[np.float32]:
    """Return (n, sum of lengths) rows of unit length, in which several (n, length) parts weigh the same."""
    own = [unit_rows(part) for part in parts]
    return unit_rows(np.concatenate(own, axis=1)) if len(own) > 1 else own[0]


def _blocks(images: Iterable[Images], grid: int) -> Iterator[list[Images]]:
    for block in batched(images, BLOCK):
        yield [region for image in block for region in cut(image, grid)]


def _describe(regions: list[Images], described: StoredExtractors, pixels: int | None) -> NDArray[np.float32]:
    """Return (n, length) rows of unit length, by the extractors, or without any by pixels."""
    if not described.folders:
        return unit_rows(np.stack([pixels_of(one, pixels or 1) for one in regions]))
    return together([np.concatenate(list(one.describe(regions))) for one in described.extractors])
