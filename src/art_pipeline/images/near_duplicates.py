"""Images of the same thing, found by perceptual hashes (Zauner 2010; the ImageHash library)."""

from collections.abc import Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.progress import progress
from art_pipeline.images.decoding import ImageError, read_image
from art_pipeline.images.standardize import ANY_SIZE, damaged, image_path

MOST_PARTS = 12


def perceptual_hash(image: Image.Image) -> int:
    """64 bits: signs of the low frequencies of the grey image's cosine transform."""
    import imagehash

    bits = imagehash.phash(image).hash.ravel()
    return int(np.packbits(bits).view(">u8")[0])


def hash_images(object_ids: Sequence[int], images: Path) -> np.ndarray:
    """Perceptual hashes of ``<object id>.jpg`` in a folder, (n,) uint64, on all cores.

    Raises:
        StorageError: An image is not there, or cannot be decoded.
    """

    def hash_file(object_id: int) -> int:
        path = image_path(images, object_id)
        try:
            return read_image(path.read_bytes(), lambda image, _: perceptual_hash(image), ANY_SIZE)
        except (ImageError, FileNotFoundError) as error:
            raise damaged(path) from error

    hashes = map_ordered(hash_file, object_ids, cpu_count())
    return np.fromiter(progress(hashes, total=len(object_ids), what="Perceptual hashes"), np.uint64, len(object_ids))


def near_pairs(hashes: np.ndarray, max_distance: int) -> np.ndarray:
    """Find every pair of hashes that differ in at most so many bits.

    Cut into one part more than bits that may differ, two such hashes have a part in common: only
    those that do are compared (Norouzi et al. 2012, "Fast search in Hamming space with multi-index
    hashing").

    Args:
        hashes: (n,) uint64.
        max_distance: 0 to 64.

    Returns:
        (pairs, 2) int64 positions, the first smaller than the second, sorted.
    """
    found = [pairs for mask in _masks(max_distance) for pairs in _pairs_alike(hashes, mask, max_distance)]
    pairs = np.concatenate([np.empty((0, 2), np.int64), *found])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _masks(max_distance: int) -> list[np.uint64]:
    """The bits of each part; none at all, so that all pairs are compared, where parts would be too short to tell."""
    if max_distance >= MOST_PARTS:
        return [np.uint64(0)]
    edges = [64 * part // (max_distance + 1) for part in range(max_distance + 2)]
    return [np.uint64((1 << end) - (1 << start)) for start, end in pairwise(edges)]


def _pairs_alike(hashes: np.ndarray, mask: np.uint64, max_distance: int) -> Iterator[np.ndarray]:
    """Near pairs among hashes with equal bits under a mask."""
    order = np.argsort(hashes & mask, kind="stable")
    ordered, parts = hashes[order], (hashes & mask)[order]
    first = np.arange(len(hashes))
    for gap in count(1):
        # Equal parts stand side by side: what has no equal at this distance has none further on.
        first = first[: np.searchsorted(first, len(hashes) - gap)]
        first = first[parts[first] == parts[first + gap]]
        if not len(first):
            return
        near = first[np.bitwise_count(ordered[first] ^ ordered[first + gap]) <= max_distance]
        yield np.stack([order[near], order[near + gap]], axis=1)


def group_pairs(pairs: np.ndarray, total: int) -> np.ndarray:
    """Number the groups that pairs connect, directly or by others.

    Args:
        pairs: (pairs, 2) positions below ``total``.
        total: The number of things.

    Returns:
        (total,) int64: the smallest position of each one's group.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(total, total))
    _, labels = connected_components(links, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)
