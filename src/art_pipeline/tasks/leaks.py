"""Leaks between tasks: test images of one task on which a model of another task was trained."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import LeakError
from art_pipeline.images.near_duplicates import near_pairs
from art_pipeline.tasks.label_sets import explode_values
from art_pipeline.tasks.options import TaskOptions

# Held-out split → splits of the other task that its images must not be in. Early stopping reads a validation split.
SEEN = {"validation": ("train",), "test": ("train", "validation")}
_LISTED = 3


def find_leaks(
    manifest: pd.DataFrame, other: pd.DataFrame, hashes: "pd.Series[int]", options: TaskOptions
) -> NDArray[np.int64]:
    """Find held-out images of a task that leak if its model starts from a model of another task.

    These are validation images that are training images of the other task, and test images that are training or
    validation images of it; near-duplicates of such images; and members of a group of such an image.

    Args:
        manifest: Manifest of the task: ``object_id``, ``group``, ``split``.
        other: Manifest of the other task.
        hashes: Perceptual hash (uint64) by ``object_id``, of at least the images of both.
        options: ``near_duplicates`` and ``leaks`` of the task.

    Returns:
        (n,) int64 ids, ascending.

    Raises:
        LeakError: There are such images and ``options.leaks`` is ``refuse``.
    """
    found = [
        _find(manifest[manifest["split"] == split], other[other["split"].isin(seen)], hashes, options)
        for split, seen in SEEN.items()
    ]
    ids = np.sort(np.concatenate(found))
    if len(ids) and options.leaks == "refuse":
        raise LeakError(
            f"{len(ids)} validation or test images, such as {', '.join(map(str, ids[:_LISTED]))}, are training images "
            "of the task whose model this one starts from, or near-duplicates of them. Set split.same_as to that task, "
            "or leaks: drop to leave these images out."
        )
    return ids


def _find(
    held_out: pd.DataFrame, seen: pd.DataFrame, hashes: "pd.Series[int]", options: TaskOptions
) -> NDArray[np.int64]:
    """Return the ids of held-out images that were seen, or a near-duplicate or a member of their group."""
    ids, groups = held_out["object_id"], explode_values(held_out["group"])
    leaks = ids.isin(seen["object_id"]) | ids.isin(_near(held_out, seen, hashes, options))
    leaks |= held_out.index.isin(groups.index[groups.isin(explode_values(seen["group"]))])
    return ids[leaks].to_numpy(np.int64)


def _near(
    held_out: pd.DataFrame, seen: pd.DataFrame, hashes: "pd.Series[int]", options: TaskOptions
) -> NDArray[np.int64]:
    """Return the ids of held-out images that are near-duplicates of images that were seen."""
    ids = np.concatenate([held_out["object_id"], seen["object_id"]])
    pairs = near_pairs(hashes.loc[ids].to_numpy(np.uint64), options.near_duplicates.max_distance)
    first, second = pairs.T
    across = (first < len(held_out)) & (second >= len(held_out))
    near: NDArray[np.int64] = ids[first[across]]
    return near
