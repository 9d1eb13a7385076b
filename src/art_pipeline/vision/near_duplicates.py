"""Pictures of the same thing, found by perceptual hashes (Zauner 2010; the ImageHash library)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from art_pipeline.concurrency import cpu_count, map_ordered
from art_pipeline.progress import progress
from art_pipeline.vision.imaging import image_path

BLOCK = 256


def perceptual_hash(image: Image.Image) -> int:
    """64 bits: signs of the low frequencies of the grey picture's cosine transform."""
    import imagehash

    bits = imagehash.phash(image).hash.ravel()
    return int(np.packbits(bits).view(">u8")[0])


def hash_images(object_ids: Sequence[int], images: Path) -> np.ndarray:
    """Perceptual hashes of ``<object id>.jpg`` in a folder, (n,) uint64, on all cores."""

    def hash_file(object_id: int) -> int:
        with Image.open(image_path(images, object_id)) as image:
            return perceptual_hash(image)

    hashes = map_ordered(hash_file, object_ids, cpu_count())
    return np.fromiter(progress(hashes, total=len(object_ids), what="Perceptual hashes"), np.uint64, len(object_ids))


def near_pairs(hashes: np.ndarray, max_distance: int) -> np.ndarray:
    """Find every pair of hashes that differ in at most so many bits.

    All pairs are compared, in blocks: 100,000 pictures are 5·10⁹ comparisons.

    Args:
        hashes: (n,) uint64.
        max_distance: 0 to 64.

    Returns:
        (pairs, 2) int64 positions, the first smaller than the second, sorted.
    """
    found = list(_blocks_of_pairs(hashes, max_distance))
    pairs = np.concatenate([np.empty((0, 2), np.int64), *found])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _blocks_of_pairs(hashes: np.ndarray, max_distance: int) -> Iterator[np.ndarray]:
    for start in range(0, len(hashes), BLOCK):
        block = hashes[start : start + BLOCK, None]
        near = np.bitwise_count(block ^ hashes[None, start:]) <= max_distance
        first, second = np.nonzero(np.triu(near, k=1))
        yield np.stack([first, second], axis=1).astype(np.int64) + start


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
