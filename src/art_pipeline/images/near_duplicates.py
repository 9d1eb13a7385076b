"""Near-duplicate images by perceptual hashes (Zauner 2010; the ImageHash library)."""

from collections.abc import Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.progress import progress
from art_pipeline.images.decoding import ImageError, read_image
from art_pipeline.images.standardize import ANY_SIZE, image_path, unreadable

MAX_PARTS = 12  # more parts have too few bits to narrow the search


def perceptual_hash(image: Image.Image) -> int:
    """Return the 64-bit pHash: signs of the low frequencies of the grey image's cosine transform."""
    import imagehash

    bits = imagehash.phash(image).hash.ravel()
    return int(np.packbits(bits).view(">u8")[0])


def hash_images(object_ids: Sequence[int], images: Path) -> np.ndarray:
    """Return the (n,) uint64 perceptual hashes of ``<object id>.jpg`` in a folder, on all cores.

    Raises:
        StorageError: An image is missing or cannot be decoded.
    """

    def hash_file(object_id: int) -> int:
        path = image_path(images, object_id)
        try:
            return read_image(path.read_bytes(), lambda image, _: perceptual_hash(image), ANY_SIZE)
        except (ImageError, FileNotFoundError) as error:
            raise unreadable(path) from error

    hashes = map_ordered(hash_file, object_ids, cpu_count())
    return np.fromiter(progress(hashes, total=len(object_ids), what="Perceptual hashes"), np.uint64, len(object_ids))


def near_pairs(hashes: np.ndarray, max_distance: int) -> np.ndarray:
    """Find all pairs of hashes within a Hamming distance.

    Split into ``max_distance + 1`` parts, two such hashes have an equal part: only hashes with an equal part are
    compared (Norouzi et al. 2012, "Fast search in Hamming space with multi-index hashing").

    Args:
        hashes: (n,) uint64.
        max_distance: Number of differing bits, 0 to 64.

    Returns:
        (pairs, 2) int64 positions, the smaller one first, sorted.

    Examples:
        >>> near_pairs(np.array([0b0000, 0b1111, 0b0001], np.uint64), max_distance=1).tolist()
        [[0, 2]]
    """
    masks = _masks(max_distance)
    found = [
        pairs
        for number, mask in enumerate(masks)
        for pairs in _near_in_part(hashes, mask, masks[:number], max_distance)
    ]
    pairs = np.sort(np.concatenate([np.empty((0, 2), np.int64), *found]), axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _masks(max_distance: int) -> list[np.uint64]:
    """Return a mask per part; one empty mask, which compares all pairs, for too many parts."""
    if max_distance >= MAX_PARTS:
        return [np.uint64(0)]
    edges = [64 * part // (max_distance + 1) for part in range(max_distance + 2)]
    return [np.uint64((1 << end) - (1 << start)) for start, end in pairwise(edges)]


def _near_in_part(
    hashes: np.ndarray, mask: np.uint64, earlier: Sequence[np.uint64], max_distance: int
) -> Iterator[np.ndarray]:
    """Yield near pairs among the hashes whose masked bits are equal, and those of no earlier mask."""
    order = np.argsort(hashes & mask, kind="stable")
    ordered, parts = hashes[order], (hashes & mask)[order]
    first = np.arange(len(hashes))
    for gap in count(1):
        # Equal parts are adjacent: a hash without an equal at this gap has none at a larger one.
        first = first[: np.searchsorted(first, len(hashes) - gap)]
        first = first[parts[first] == parts[first + gap]]
        if not len(first):
            return
        different = ordered[first] ^ ordered[first + gap]
        is_near = np.bitwise_count(different) <= max_distance
        for one in earlier:
            is_near &= (different & one) != 0
        near = first[is_near]
        yield np.stack([order[near], order[near + gap]], axis=1)
