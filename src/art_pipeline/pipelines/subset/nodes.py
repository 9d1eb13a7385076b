"""Nodes of the subset: label, select and split objects, and check for leaks."""

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.progress import titled
from art_pipeline.errors import LeakError, SubsetError
from art_pipeline.images.near_duplicates import near_pairs
from art_pipeline.tasks.columns import read_column, require_labels
from art_pipeline.tasks.corrected import summarise_corrections
from art_pipeline.tasks.corrections import (
    correct_labels,
    freeze_test_labels,
    keep_splits,
    of_task,
    parse_corrections,
    preferred,
    read_file,
)
from art_pipeline.tasks.groups import connected_groups
from art_pipeline.tasks.label_sets import count_labels, explode_values, keep_labels, sort_labels
from art_pipeline.tasks.labels import group_labels
from art_pipeline.tasks.options import TaskOptions
from art_pipeline.tasks.selection import select
from art_pipeline.tasks.source_summary import similar_labels, summarise_sources
from art_pipeline.tasks.splits import require_training, same_splits, split_by_class, split_by_group
from art_pipeline.tasks.stratification import log_missing_labels, split_label_sets
from art_pipeline.tasks.supplement import KEPT

log = logging.getLogger(__name__)

# Columns of the image table that the manifest keeps, for the report and the model card.
OF_CORRECTIONS = ["recorded_label", "corrected_by"]
IMAGE_COLUMNS = ["md5", "source", "is_supplement", "licence", "object_url"]


def read_corrections(options: TaskOptions) -> bytes:
    """Return the content of the file of corrections, so that the lineage of results has it and its digest."""
    return read_file(options.corrections or "")


def label_objects(
    objects: pd.DataFrame,
    image_table: pd.DataFrame,
    options: TaskOptions,
    corrections: bytes | None = None,
    task: str = "",
) -> pd.DataFrame:
    """Add a label and a group to every object that has an image.

    Args:
        objects: ``object_id``, and the columns named by the options.
        image_table: ``object_id``, ``status``, and `IMAGE_COLUMNS`.
        options: ``label``, ``classes.groups`` and ``split.group_by``.
        corrections: What `read_corrections` returns; None for none.
        task: Name of the task, by which its corrections are found.

    Returns:
        ``object_id`` (int64, ascending), ``label``, ``original_label`` (before classes were grouped), ``group`` (str;
        ``""`` for none) and `IMAGE_COLUMNS`. Labels of a multi-label task are sorted and separated by ``|``. Objects
        without a label are excluded, except where ``unlabelled`` is ``keep``. With corrections: ``label`` is the
        corrected one, ``recorded_label`` the one before, and ``corrected_by`` (str; ``""`` for nobody) who gave another
        label than the recorded one.

    Raises:
        SubsetError: A column is missing, a correction names an unknown object or label, or no object is left.
    """
    original, group = read_column(objects, options.label, "label"), options.split.group_by
    label = group_labels(original, options.classes)
    label = sort_labels(label) if options.kind == "multilabel" else label
    marks = pd.DataFrame(index=objects.index)
    if corrections is not None:
        digests = image_table.loc[image_table["status"] == "ok"].set_index("object_id")["md5"]
        table = objects[["object_id"]].assign(label=label, md5=objects["object_id"].map(digests).fillna(""))
        known = explode_values(pd.concat([label, original], ignore_index=True)).unique()
        marks = correct_labels(table, of_task(parse_corrections(corrections), task), options, known)
        label = marks.pop("label")
    _log_summary(objects, image_table, label, options)
    usable = image_table.loc[image_table["status"] == "ok", ["object_id", *IMAGE_COLUMNS]]
    shown = objects["object_id"].isin(usable["object_id"])
    rows = objects[shown if options.keeps_unlabelled else shown & label.ne("")]
    if usable.empty:
        raise SubsetError(f"There are no usable images: {_counted(image_table['status'])}. {_remedy(image_table)}")
    require_labels(label[rows.index], options.label, objects[shown], "objects with an image")
    groups = read_column(objects, group, "split.group_by")[rows.index] if group else ""
    table = rows[["object_id"]].assign(label=label, original_label=original, group=groups).join(marks)
    return table.merge(usable, on="object_id", validate="1:1").sort_values("object_id", ignore_index=True)


def _log_summary(
    objects: pd.DataFrame, image_table: pd.DataFrame, labels: "pd.Series[str]", options: TaskOptions
) -> None:
    for line in summarise_sources(objects, image_table, labels, options):
        log.info("%s", titled(line))
    names = explode_values(labels) if options.kind == "multilabel" else labels[labels != ""]
    for similar in similar_labels(names):
        log.warning(
            "%s differ only in case. They are separate; to merge them, use classes.groups.",
            titled(f"The classes {' and '.join(map(repr, similar))}"),
        )


def find_near_duplicates(candidates: pd.DataFrame, image_hashes: pd.DataFrame, options: TaskOptions) -> pd.DataFrame:
    """Find pairs of near-duplicate images by perceptual hashes.

    Args:
        candidates: What `label_objects` returns.
        image_hashes: ``object_id`` and ``hash`` (uint64) of every usable image.
        options: ``near_duplicates.max_distance``.

    Returns:
        ``object_id`` and ``other_id`` (int64, the larger one), one row per pair.
    """
    ids = candidates["object_id"].to_numpy()
    hashes = image_hashes.set_index("object_id")["hash"].loc[ids].to_numpy(np.uint64)
    pairs = near_pairs(hashes, options.near_duplicates.max_distance)
    return pd.DataFrame(ids[pairs], columns=["object_id", "other_id"])


def select_images(
    candidates: pd.DataFrame,
    near_duplicates: pd.DataFrame,
    options: TaskOptions,
    same_as: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Decide which images are kept, and why the others are not.

    The sample of a class depends only on its objects and the seed: other classes do not change it. In multi-label
    tasks it does, as labels share images: see `sample_label_sets`. Images that are selected without any correction
    stay where possible, and test images with ``test_labels: recorded`` have their recorded labels.

    Args:
        candidates: What `label_objects` returns.
        near_duplicates: What `find_near_duplicates` returns.
        options: Classes, number of images, and near-duplicates.
        same_as: As for `split_images`; needed with corrections only.

    Returns:
        ``candidates`` with ``decision`` and ``near_duplicate_of`` (int64, the first of its near-duplicates, or 0). In
        multi-label tasks, ``label`` of the kept images has only labels that are used, and images of the same bytes
        have the union of their labels. Decisions are ``kept``, ``multiple_labels``, ``conflicting_labels`` (the same
        bytes occur under another label), ``near_duplicate``, ``class_excluded`` (in multi-label tasks: none of its
        labels is used), ``not_sampled``, and in supplementary sources ``group_in_primary_source`` (see
        `select_supplement`). A near-duplicate may belong to an object whose class is excluded later for its size.

    Raises:
        SubsetError: A class is unknown or too small, or fewer than two are left.
    """
    before = _before(candidates, near_duplicates, options, same_as)
    first = np.empty(0, np.int64)
    if before is not None:
        first = preferred(candidates, before, options.seed)
        if options.test_labels == "recorded":
            candidates = freeze_test_labels(candidates, before)
    return select(candidates, near_duplicates, options, first)


def _before(
    candidates: pd.DataFrame, near_duplicates: pd.DataFrame, options: TaskOptions, same_as: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Return ``object_id`` and ``split`` of the images that are used without any correction; None without any."""
    if "recorded_label" not in candidates:
        return None
    recorded = candidates.assign(label=candidates["recorded_label"])
    recorded = recorded[recorded["label"].ne("") | options.keeps_unlabelled].drop(columns=OF_CORRECTIONS)
    selection = select(recorded, near_duplicates, options, np.empty(0, np.int64))
    return split_images(selection, near_duplicates, options, same_as)[["object_id", "split"]]


def split_images(
    selection: pd.DataFrame, near_duplicates: pd.DataFrame, options: TaskOptions, same_as: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Split the kept images into training, validation and test; supplementary objects are for training.

    Args:
        selection: What `select_images` returns.
        near_duplicates: What `find_near_duplicates` returns.
        options: ``split`` and ``near_duplicates``.
        same_as: Manifest of the task ``options.split.same_as``.

    Returns:
        ``object_id`` (int64, ascending), ``label``, ``original_label``, ``group`` and ``split`` (str: ``train``,
        ``validation`` or ``test``), and `IMAGE_COLUMNS` without ``md5``. With corrections, images that are used
        without any stay in their split; ``recorded_label`` has the labels that are used.

    Raises:
        SubsetError: A class has too few objects for all splits.
    """
    kept = selection[selection["decision"] == KEPT]
    primary = kept[~kept["is_supplement"]].reset_index(drop=True)
    groups = _groups(primary, near_duplicates, options)
    splits = pd.Series(_split(primary, groups, options), index=primary["object_id"])
    before = _before(_candidates(selection), near_duplicates, options, same_as)
    if before is not None:
        splits = keep_splits(splits, before, groups, frozen=options.test_labels == "recorded")
    if same_as is not None:
        splits = same_splits(splits, same_as, groups)
    table = kept.drop(columns=["decision", "near_duplicate_of", "md5"]).reset_index(drop=True)
    position = list(table.columns).index("group") + 1
    table.insert(position, "split", table["object_id"].map(splits).fillna("train"))
    if before is not None:
        used = count_labels(table["label"]).index
        table["recorded_label"] = keep_labels(table["recorded_label"], used)
        if options.kind == "multiclass":
            require_training(table["label"], table["split"])
        log.info("%s", titled(summarise_corrections(table, options.test_labels == "corrected")))
    if options.kind == "multilabel":
        log_missing_labels(table["label"], table["split"].to_numpy(), options.split)
    return table


def _candidates(selection: pd.DataFrame) -> pd.DataFrame:
    return selection.drop(columns=["decision", "near_duplicate_of"])


def _split(kept: pd.DataFrame, groups: NDArray[np.int64] | None, options: TaskOptions) -> NDArray[np.object_]:
    if options.kind == "multilabel":
        return split_label_sets(kept["object_id"], kept["label"], options.split, groups)
    if groups is None:
        return split_by_class(kept["object_id"], kept["label"], options.split)
    return split_by_group(kept["label"], groups, options.split)


def _groups(kept: pd.DataFrame, near_duplicates: pd.DataFrame, options: TaskOptions) -> NDArray[np.int64] | None:
    """Return the groups that are in one split; None if each image is on its own."""
    if options.split.group_by is None and options.near_duplicates.action != "group":
        return None
    pairs = near_duplicates if options.near_duplicates.action == "group" else near_duplicates[:0]
    return connected_groups(kept["object_id"], pairs, kept["group"])


def check_leaks(manifest: pd.DataFrame, near_duplicates: pd.DataFrame) -> pd.DataFrame:
    """Check that near-duplicates and members of a group are in the same split; return the manifest.

    Raises:
        LeakError: Names the pair or the group that is in two splits.
    """
    split = manifest.set_index("object_id")["split"]
    pairs = near_duplicates[near_duplicates.isin(set(split.index)).all(axis=1)]
    leaks = pairs[split[pairs["object_id"]].to_numpy() != split[pairs["other_id"]].to_numpy()]
    if len(leaks):
        one, other = leaks.iloc[0]
        raise LeakError(
            f"Objects {one} ({split[one]}) and {other} ({split[other]}) are near-duplicates in two splits, one of "
            f"{len(leaks)} such pairs. Set near_duplicates.action to drop or group, also in the task of split.same_as."
        )
    values = explode_values(manifest["group"])
    splits = manifest.loc[values.index, "split"].groupby(values.to_numpy()).nunique()
    if (splits > 1).any():
        raise LeakError(
            f"The group {splits.idxmax()!r} is in {splits.max()} splits. Set split.group_by in the task of "
            "split.same_as too."
        )
    return manifest


def _counted(statuses: "pd.Series[str]") -> str:
    return ", ".join(f"{number} {name}" for name, number in statuses.value_counts().sort_index().items()) or "none"


def _remedy(image_table: pd.DataFrame) -> str:
    if "not_public_domain" in set(image_table["status"]):
        return "If you may use them, set the source's licence, or download.public_domain_only: false."
    missing = image_table[(image_table["status"] == "missing") & ~image_table["url"].str.contains("://")]
    if len(missing):
        return f"The first missing file is {missing['url'].iloc[0]!r}. Check the paths of the source."
    return "Choose other objects."
