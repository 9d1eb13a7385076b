"""Fill small classes with objects of supplementary sources, for training only."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.tasks.groups import connected_groups
from art_pipeline.tasks.label_sets import count_labels, explode_values, keep_labels
from art_pipeline.tasks.options import TaskOptions
from art_pipeline.tasks.sampling import sample_label_sets

KEPT = "kept"


def select_supplement(
    selection: pd.DataFrame, supplement: pd.DataFrame, pairs: pd.DataFrame, options: TaskOptions
) -> pd.DataFrame:
    """Decide about the objects of supplementary sources.

    Classes with fewer than ``options.supplement_to`` objects are filled by random sampling, with a random stream per
    class. In multi-label tasks, other labels are removed first, and rare labels are filled first, as by
    `sample_label_sets`. Near-duplicates of the primary source's objects and members of a group of a kept object are
    excluded: they would leak test images into training.

    Args:
        selection: Objects of the primary source, with ``decision``.
        supplement: Objects of supplementary sources, with the same columns; ``decision`` is ``kept`` for candidates.
        pairs: Near-duplicates.
        options: ``supplement_to`` and ``seed``.

    Returns:
        ``supplement`` with updated ``decision`` and ``near_duplicate_of``.
    """
    kept = selection[selection["decision"] == KEPT]
    sizes = count_labels(kept["label"])
    table = supplement.copy()
    remaining = keep_labels(table["label"], sizes.index)
    _decide(table, remaining.eq(""), "class_excluded")
    table["label"] = table["label"].mask(table["decision"] == KEPT, remaining)
    both = pd.concat([selection, table], ignore_index=True)
    first = both["object_id"].to_numpy()[connected_groups(both["object_id"], pairs)][len(selection) :]
    duplicates = pd.Series(first, index=table.index).ne(table["object_id"]) & (table["decision"] == KEPT)
    table.loc[duplicates, "near_duplicate_of"] = first[duplicates.to_numpy()]
    _decide(table, duplicates, "near_duplicate")
    groups = explode_values(table["group"])
    in_kept_group = groups.index[groups.isin(explode_values(kept["group"]))]
    _decide(table, table.index.isin(in_kept_group), "group_in_primary_source")
    candidates = table[table["decision"] == KEPT]
    given = {str(name): int(size) for name, size in sizes.items()}
    sampled = sample_label_sets(candidates, options.supplement_to or 0, [options.seed, 1], given)
    _decide(table, ~table["object_id"].isin(sampled), "not_sampled")
    return table


def _decide(table: pd.DataFrame, which: "pd.Series[bool] | NDArray[np.bool_]", decision: str) -> None:
    table.loc[which & (table["decision"] == KEPT), "decision"] = decision
