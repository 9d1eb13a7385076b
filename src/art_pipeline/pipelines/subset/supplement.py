"""Fill small classes with objects of supplementary sources, for training only."""

from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.pipelines.subset.options import SubsetOptions
from art_pipeline.pipelines.subset.splits import connected_groups, explode_values

KEPT = "kept"


def select_supplement(
    selection: pd.DataFrame, supplement: pd.DataFrame, pairs: pd.DataFrame, options: SubsetOptions
) -> pd.DataFrame:
    """Decide about the objects of supplementary sources.

    Classes with fewer than ``options.supplement_to`` objects are filled by random sampling, with a random stream per
    class. Near-duplicates of the primary source's objects and members of a group of a kept object are excluded: they
    would leak test images into training.

    Args:
        selection: Objects of the primary source, with ``decision``.
        supplement: Objects of supplementary sources, with the same columns; ``decision`` is ``kept`` for candidates.
        pairs: Near-duplicates.
        options: ``supplement_to`` and ``seed``.

    Returns:
        ``supplement`` with updated ``decision`` and ``near_duplicate_of``.
    """
    kept = selection[selection["decision"] == KEPT]
    sizes = kept["label"].value_counts()
    table = supplement.copy()
    _decide(table, ~table["label"].isin(sizes.index), "class_excluded")
    both = pd.concat([selection, table], ignore_index=True)
    first = both["object_id"].to_numpy()[connected_groups(both["object_id"], pairs)][len(selection) :]
    duplicates = pd.Series(first, index=table.index).ne(table["object_id"]) & (table["decision"] == KEPT)
    table.loc[duplicates, "near_duplicate_of"] = first[duplicates.to_numpy()]
    _decide(table, duplicates, "near_duplicate")
    groups = explode_values(table["group"])
    in_kept_group = groups.index[groups.isin(explode_values(kept["group"]))]
    _decide(table, table.index.isin(in_kept_group), "group_in_primary_source")
    candidates = table[table["decision"] == KEPT]
    missing = (options.supplement_to or 0) - sizes
    sampled = [_sample(rows, str(name), missing[name], options.seed) for name, rows in candidates.groupby("label")]
    ids = np.concatenate([*sampled, np.empty(0, np.int64)])
    _decide(table, ~table["object_id"].isin(ids), "not_sampled")
    return table


def _decide(table: pd.DataFrame, which: "pd.Series[bool] | NDArray[np.bool_]", decision: str) -> None:
    table.loc[which & (table["decision"] == KEPT), "decision"] = decision


def _sample(rows: pd.DataFrame, name: str, number: int, seed: int) -> NDArray[np.int64]:
    stream = np.random.default_rng([seed, crc32(name.encode()), 1])
    ids = np.sort(rows["object_id"].to_numpy())
    return stream.choice(ids, min(max(number, 0), len(ids)), replace=False)
