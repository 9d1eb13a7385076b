"""Near-duplicates among the images of an analysis."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import DiscoveryError
from art_pipeline.images.near_duplicates import near_pairs
from art_pipeline.tasks.groups import group_pairs


def duplicate_pairs(image_hashes: pd.DataFrame, object_ids: Sequence[int], distance: int | None) -> NDArray[np.int64]:
    """Return (pairs, 2) positions of near-duplicates among images; no pairs where the distance is None.

    Args:
        image_hashes: ``object_id`` and ``hash`` (uint64) of every usable image.
        object_ids: (n,) ids of the images.
        distance: Most bits of 64 in which the hashes of near-duplicates differ.

    Raises:
        DiscoveryError: An image has no hash.

    Examples:
        >>> hashes = pd.DataFrame({"object_id": [5, 7], "hash": np.array([0b100, 0b101], np.uint64)})
        >>> duplicate_pairs(hashes, [7, 5], distance=1).tolist()
        [[0, 1]]
    """
    if distance is None:
        return np.empty((0, 2), np.int64)
    hashes = image_hashes.set_index("object_id")["hash"]
    if missing := sorted(set(object_ids) - set(hashes.index)):
        raise DiscoveryError(
            f"The image of object {missing[0]} has no perceptual hash. Run kedro run --pipelines download."
        )
    return near_pairs(hashes.loc[list(object_ids)].to_numpy(np.uint64), distance)


def duplicate_groups(image_hashes: pd.DataFrame, object_ids: Sequence[int], distance: int | None) -> NDArray[np.int64]:
    """Return (n,) int64 numbers of groups of near-duplicates; an image without one is a group of its own."""
    pairs = duplicate_pairs(image_hashes, object_ids, distance)
    return np.asarray(group_pairs(pairs, len(object_ids)), np.int64)
