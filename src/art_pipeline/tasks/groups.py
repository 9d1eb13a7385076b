"""Groups of objects that stay together: those linked by a pair, or by a value of a column."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.tasks.label_sets import explode_values


def connected_groups(
    object_ids: "pd.Series[int]", pairs: pd.DataFrame, values: "pd.Series[str] | None" = None
) -> NDArray[np.int64]:
    """Find connected components of objects, linked by a pair or an equal value.

    Args:
        object_ids: (n,) int64, unique.
        pairs: ``object_id`` and ``other_id``; pairs with other objects are ignored.
        values: (n,) str; objects with an equal value are linked. Several values are separated by `SEPARATOR`; ``""`` is
            ignored.

    Returns:
        (n,) int64: position of the first object of each component.
    """
    position = pd.Series(np.arange(len(object_ids)), index=object_ids.to_numpy())
    known = pairs[pairs.isin(set(position.index)).all(axis=1)]
    links = [position[known[column]].to_numpy() for column in ("object_id", "other_id")]
    if values is not None:
        named = explode_values(values.reset_index(drop=True))
        first = pd.Series(named.index, index=named.to_numpy()).groupby(level=0).transform("first")
        links = [np.concatenate([links[0], named.index]), np.concatenate([links[1], first.to_numpy(np.int64)])]
    return group_pairs(np.stack(links, axis=1), len(object_ids))


def group_pairs(pairs: np.ndarray, total: int) -> np.ndarray:
    """Return the connected components of pairs.

    Args:
        pairs: (pairs, 2) positions below ``total``.
        total: Number of items.

    Returns:
        (total,) int64: the smallest position in each item's component.

    Examples:
        >>> group_pairs(np.array([[0, 2], [2, 3]]), total=5).tolist()
        [0, 1, 0, 0, 4]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(total, total))
    _, labels = connected_components(links, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    groups: np.ndarray = first[inverse].astype(np.int64)
    return groups
