"""Which images of a task are used: their classes, near-duplicates, and a sample of each class."""

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.progress import titled
from art_pipeline.errors import SubsetError
from art_pipeline.tasks.classes import exclude_other_classes, large_classes, named_classes, undersample
from art_pipeline.tasks.groups import connected_groups
from art_pipeline.tasks.labels import exclude_ambiguous, unite_copies
from art_pipeline.tasks.options import TaskOptions
from art_pipeline.tasks.source_summary import summarise_labels
from art_pipeline.tasks.supplement import KEPT, select_supplement

log = logging.getLogger(__name__)


def select(
    candidates: pd.DataFrame, near_duplicates: pd.DataFrame, options: TaskOptions, first: NDArray[np.int64]
) -> pd.DataFrame:
    """Decide which images are kept, and why the others are not.

    Args:
        candidates: What `pipelines.subset.nodes.label_objects` returns.
        near_duplicates: Pairs of near-duplicates.
        options: Classes, number of images, and near-duplicates.
        first: (m,) ids of images that are kept rather than others, the first ones first.

    Returns:
        ``candidates`` with ``decision`` and ``near_duplicate_of``; see `pipelines.subset.nodes.select_images`.

    Raises:
        SubsetError: A class is unknown or too small, or fewer than two are left.
    """
    prepare = unite_copies if options.kind == "multilabel" else exclude_ambiguous
    parts = {is_supplement: prepare(rows) for is_supplement, rows in candidates.groupby("is_supplement")}
    if False not in parts:
        raise SubsetError("All usable images are from supplements, which only fill classes of the first source.")
    primary = _select_primary(parts[False], near_duplicates, options, first)
    supplement = select_supplement(primary, parts.get(True, primary[:0]), near_duplicates, options)
    return pd.concat([primary, supplement]).sort_values("object_id", ignore_index=True)


def _select_primary(
    table: pd.DataFrame, near_duplicates: pd.DataFrame, options: TaskOptions, first: NDArray[np.int64]
) -> pd.DataFrame:
    """Select objects of the primary source, which defines the classes and the test split."""
    before = table["label"].copy()
    # Classes by name come first, so that no image is dropped as a near-duplicate of an excluded one.
    named = named_classes(table.loc[table["decision"] == KEPT, "label"], options.classes)
    exclude_other_classes(table, named, options)
    if options.near_duplicates.action == "drop":
        _drop_near_duplicates(table, near_duplicates, first)
    large = large_classes(table.loc[table["decision"] == KEPT, "label"], options)
    exclude_other_classes(table, large, options)
    if options.kind == "multilabel":
        log.info("%s", titled(summarise_labels(before, table)))
    return undersample(table, options, first)


def _drop_near_duplicates(table: pd.DataFrame, pairs: pd.DataFrame, preferred: NDArray[np.int64]) -> None:
    kept = table[table["decision"] == KEPT]
    kept = kept.loc[(~kept["object_id"].isin(preferred)).sort_values(kind="stable").index]
    first = pd.Series(kept["object_id"].to_numpy()[connected_groups(kept["object_id"], pairs)], index=kept.index)
    later = first[first != kept["object_id"]]
    table.loc[later.index, "decision"] = "near_duplicate"
    table.loc[later.index, "near_duplicate_of"] = later
