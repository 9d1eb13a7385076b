"""Evidence from the nearest works: near-duplicates with other labels, and outliers of a label."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.discovery.nearest import nearest

MIN_IMAGES = 5  # of a label, to say which is far from it


def conflicting_duplicates(
    object_ids: Sequence[int], labels: "pd.Series[str]", pairs: NDArray[np.int64]
) -> pd.DataFrame:
    """Find near-duplicates that have different labels: at least one of the two records is wrong or incomplete.

    Args:
        object_ids: (n,) ids.
        labels: (n,) labels as text, ``""`` for none.
        pairs: (pairs, 2) positions of near-duplicates; see `art_pipeline.images.near_duplicates.near_pairs`.

    Returns:
        A row per image of such a pair: ``object_id``, ``other`` (the id of the near-duplicate) and ``other_label``; of
        several near-duplicates, the first.

    Examples:
        >>> conflicting_duplicates([7, 8, 9], pd.Series(["vase", "print", "vase"]), np.array([[0, 1], [0, 2]]))
           object_id  other other_label
        0          7      8       print
        1          8      7        vase
    """
    ids, names = np.asarray(object_ids, np.int64), labels.to_numpy(object)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    different = both[names[both[:, 0]] != names[both[:, 1]]]
    found = pd.DataFrame(
        {"object_id": ids[different[:, 0]], "other": ids[different[:, 1]], "other_label": names[different[:, 1]]}
    )
    return found.sort_values(["object_id", "other"]).drop_duplicates("object_id", ignore_index=True)


def distances_from_label(rows: NDArray[np.float32], labels: Flags, neighbours: int) -> Floats:
    """Return how far each image is from the others of its label, as a share of the images that are nearer.

    The distance is 1 minus the mean cosine similarity to the nearest images of the label (Ramaswamy, Rastogi & Shim
    2000). Ranks within the label make it comparable between labels of more and less varied images.

    Args:
        rows: (n, length) float32 of unit length.
        labels: (n, classes) recorded labels.
        neighbours: Number of nearest images of the label.

    Returns:
        (n,) in 0..1, the largest of an image's labels; 0 where a label has fewer than five images.
    """
    found = np.zeros(len(rows))
    for number in range(labels.shape[1]):
        members = np.flatnonzero(labels[:, number])
        if len(members) >= MIN_IMAGES:
            found[members] = np.maximum(found[members], _ranks(rows[members], neighbours))
    return found


def _ranks(rows: NDArray[np.float32], neighbours: int) -> Floats:
    similarities = nearest(rows, rows, min(neighbours + 1, len(rows))).similarities[:, 1:]  # without the image itself
    order = np.argsort(np.argsort(-similarities.mean(axis=1, dtype=np.float64), kind="stable"), kind="stable")
    ranks: Floats = order / (len(rows) - 1)
    return ranks
