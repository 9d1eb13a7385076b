"""Random samples of classes and of labels."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.tasks.label_sets import explode_values

NONE = np.empty(0, np.int64)


def sample_classes(
    rows: pd.DataFrame, number: int, seed: Sequence[int], first: NDArray[np.int64] = NONE
) -> NDArray[np.int64]:
    """Sample images of each class, with a random stream per class.

    Args:
        rows: ``object_id`` and ``label`` (one each).
        number: Images of each class, which has at least as many.
        seed: Random seed, one or more integers.
        first: Ids of images that are sampled before others, in this order.

    Returns:
        int64 object ids.
    """
    sampled = []
    for name, own in rows.groupby("label"):
        chosen = first[np.isin(first, own["object_id"])][:number]
        rest = own.loc[~own["object_id"].isin(chosen), "object_id"]
        sampled += [chosen, _sample(rest, str(name), number - len(chosen), seed)]
    return np.concatenate([*sampled, np.empty(0, np.int64)])


def sample_label_sets(
    rows: pd.DataFrame,
    number: int,
    seed: Sequence[int],
    given: Mapping[str, int] = MappingProxyType({}),
    first: NDArray[np.int64] = NONE,
) -> NDArray[np.int64]:
    """Sample images until each label has at least ``number`` of them, or all that there are.

    Rare labels come first, with a random stream per label: an image that is sampled for a rare label counts for its
    frequent ones, which so exceed the number as little as their company allows. Images without a label are sampled as
    if they had one of their own.

    Args:
        rows: ``object_id``, and ``label`` (sets).
        number: Images of each label.
        seed: Random seed, one or more integers.
        given: Number of images that labels have besides ``rows``.
        first: Ids of images that are sampled in any case.

    Returns:
        int64 object ids, ascending.
    """
    ids = _ids_by_label(rows)
    sampled = pd.Series(False, index=pd.Index(rows["object_id"].sort_values()))
    sampled[sampled.index.isin(first)] = True
    for name in sorted(ids, key=lambda name: (len(ids[name]) + given.get(name, 0), name)):
        chosen = sampled[ids[name]]
        missing = number - given.get(name, 0) - int(chosen.sum())
        rest = pd.Series(chosen.index[~chosen], dtype=np.int64)
        sampled[_sample(rest, name, min(max(missing, 0), len(rest)), seed)] = True
    return sampled.index[sampled].to_numpy(np.int64)


def _ids_by_label(rows: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    table = rows.set_index("object_id")["label"]
    each = explode_values(table)
    by_label = {str(name): ids.to_numpy(np.int64) for name, ids in each.index.to_series().groupby(each.to_numpy())}
    unlabelled = table.index[table == ""].to_numpy(np.int64)
    return by_label | ({"": unlabelled} if len(unlabelled) else {})


def _sample(ids: "pd.Series[int]", name: str, number: int, seed: Sequence[int]) -> NDArray[np.int64]:
    stream = np.random.default_rng([*seed[:1], crc32(name.encode()), *seed[1:]])
    return stream.choice(np.sort(ids.to_numpy()), number, replace=False)
