"""Nodes of the subset: label, select and split objects, and check for leaks."""

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.progress import titled
from art_pipeline.errors import LeakError, SubsetError, did_you_mean
from art_pipeline.images.near_duplicates import near_pairs
from art_pipeline.sources.columns import FLAGS, MADE, SEPARATOR, YEARS
from art_pipeline.sources.names import normal
from art_pipeline.tasks.classes import exclude_other_classes, large_classes, named_classes, undersample
from art_pipeline.tasks.groups import connected_groups, explode_values
from art_pipeline.tasks.label_sets import sort_labels
from art_pipeline.tasks.labels import exclude_ambiguous, group_labels, unite_copies
from art_pipeline.tasks.options import TaskOptions
from art_pipeline.tasks.source_summary import similar_labels, summarise_labels, summarise_sources
from art_pipeline.tasks.splits import split_by_class, split_by_group
from art_pipeline.tasks.stratification import log_missing_labels, split_label_sets
from art_pipeline.tasks.supplement import KEPT, select_supplement

log = logging.getLogger(__name__)

# Columns of the image table that the manifest keeps, for the report and the model card.
IMAGE_COLUMNS = ["md5", "source", "is_supplement", "licence", "object_url"]


def label_objects(objects: pd.DataFrame, image_table: pd.DataFrame, options: TaskOptions) -> pd.DataFrame:
    """Add a label and a group to every object that has an image.

    Args:
        objects: ``object_id``, and the columns named by the options.
        image_table: ``object_id``, ``status``, and `IMAGE_COLUMNS`.
        options: ``label``, ``classes.groups`` and ``split.group_by``.

    Returns:
        ``object_id`` (int64, ascending), ``label``, ``original_label`` (before classes were grouped), ``group`` (str;
        ``""`` for none) and `IMAGE_COLUMNS`. Labels of a multi-label task are sorted and separated by ``|``. Objects
        without a label are excluded, except where ``unlabelled`` is ``keep``.

    Raises:
        SubsetError: A column is missing, or no object is left.
    """
    original, group = _column(objects, options.label, "label"), options.split.group_by
    label = group_labels(original, options.classes)
    label = sort_labels(label) if options.kind == "multilabel" else label
    _log_summary(objects, image_table, label, options)
    usable = image_table.loc[image_table["status"] == "ok", ["object_id", *IMAGE_COLUMNS]]
    shown = objects["object_id"].isin(usable["object_id"])
    rows = objects[shown if options.keeps_unlabelled else shown & label.ne("")]
    if usable.empty:
        raise SubsetError(f"There are no usable images: {_counted(image_table['status'])}. {_remedy(image_table)}")
    if label[rows.index].eq("").all():
        raise SubsetError(
            f"None of the {len(usable)} objects with an image has a value in {options.label!r}. Columns with values: "
            f"{', '.join(_with_values(objects, usable['object_id'])) or 'none'}. Set label to one of them, or "
            "remove the task and its models; for another column of your own table, add it to the source's columns or "
            "keep."
        )
    groups = _column(objects, group, "split.group_by")[rows.index] if group else ""
    table = rows[["object_id"]].assign(label=label, original_label=original, group=groups)
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


def select_images(candidates: pd.DataFrame, near_duplicates: pd.DataFrame, options: TaskOptions) -> pd.DataFrame:
    """Decide which images are kept, and why the others are not.

    The sample of a class depends only on its objects and the seed: other classes do not change it. In multi-label
    tasks it does, as labels share images: see `sample_label_sets`.

    Args:
        candidates: What `label_objects` returns.
        near_duplicates: What `find_near_duplicates` returns.
        options: Classes, number of images, and near-duplicates.

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
    prepare = unite_copies if options.kind == "multilabel" else exclude_ambiguous
    parts = {is_supplement: prepare(rows) for is_supplement, rows in candidates.groupby("is_supplement")}
    if False not in parts:
        raise SubsetError("All usable images are from supplements, which only fill classes of the first source.")
    primary = _select_primary(parts[False], near_duplicates, options)
    supplement = select_supplement(primary, parts.get(True, primary[:0]), near_duplicates, options)
    return pd.concat([primary, supplement]).sort_values("object_id", ignore_index=True)


def _select_primary(table: pd.DataFrame, near_duplicates: pd.DataFrame, options: TaskOptions) -> pd.DataFrame:
    """Select objects of the primary source, which defines the classes and the test split."""
    before = table["label"].copy()
    # Classes by name come first, so that no image is dropped as a near-duplicate of an excluded one.
    named = named_classes(table.loc[table["decision"] == KEPT, "label"], options.classes)
    exclude_other_classes(table, named, options)
    if options.near_duplicates.action == "drop":
        _drop_near_duplicates(table, near_duplicates)
    large = large_classes(table.loc[table["decision"] == KEPT, "label"], options)
    exclude_other_classes(table, large, options)
    if options.kind == "multilabel":
        log.info("%s", titled(summarise_labels(before, table)))
    return undersample(table, options)


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
        ``validation`` or ``test``), and `IMAGE_COLUMNS` without ``md5``.

    Raises:
        SubsetError: A class has too few objects for all splits.
    """
    kept = selection[selection["decision"] == KEPT]
    primary = kept[~kept["is_supplement"]].reset_index(drop=True)
    groups = _groups(primary, near_duplicates, options)
    splits = pd.Series(_split(primary, groups, options), index=primary["object_id"])
    if same_as is not None:
        splits = _same_splits(splits, same_as, groups)
    table = kept.drop(columns=["decision", "near_duplicate_of", "md5"]).reset_index(drop=True)
    position = list(table.columns).index("group") + 1
    table.insert(position, "split", table["object_id"].map(splits).fillna("train"))
    if options.kind == "multilabel":
        log_missing_labels(table["label"], table["split"].to_numpy(), options.split)
    return table


def _same_splits(splits: "pd.Series[str]", same_as: pd.DataFrame, groups: NDArray[np.int64] | None) -> "pd.Series[str]":
    """Return the splits of the other task, for its objects and for the members of their groups; else the given ones."""
    known = splits.index.to_series().map(same_as.set_index("object_id")["split"])
    if groups is not None:
        known = known.fillna(known.groupby(groups).transform("first"))
    return known.fillna(splits)


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


def _column(objects: pd.DataFrame, name: str, key: str) -> "pd.Series[str]":
    if name not in objects.columns:
        hint = did_you_mean(name, objects.columns)
        raise SubsetError(
            f"{key}: the objects table has no column {name!r}.{hint} Columns: {', '.join(objects.columns)}."
        )
    return objects[name].astype("string").fillna("").astype(str).map(_values)


def _values(text: str) -> str:
    """Normalize the values of a text, which are separated by `SEPARATOR`, and drop repeated ones."""
    return SEPARATOR.join(dict.fromkeys(value for value in map(normal, text.split(SEPARATOR)) if value))


def _with_values(objects: pd.DataFrame, ids: "pd.Series[int]") -> list[str]:
    """Return the columns that could be labels: texts for which some of these objects have a value."""
    rows = objects[objects["object_id"].isin(ids)]
    others = {"object_id", *MADE, *YEARS, *FLAGS, "image", "image_small", "object_url", "licence"} - {"century"}
    return [name for name in rows.columns if name not in others and rows[name].astype("string").fillna("").ne("").any()]


def _drop_near_duplicates(table: pd.DataFrame, pairs: pd.DataFrame) -> None:
    kept = table[table["decision"] == KEPT]
    first = pd.Series(kept["object_id"].to_numpy()[connected_groups(kept["object_id"], pairs)], index=kept.index)
    later = first[first != kept["object_id"]]
    table.loc[later.index, "decision"] = "near_duplicate"
    table.loc[later.index, "near_duplicate_of"] = later


def _counted(statuses: "pd.Series[str]") -> str:
    return ", ".join(f"{number} {name}" for name, number in statuses.value_counts().sort_index().items()) or "none"


def _remedy(image_table: pd.DataFrame) -> str:
    if "not_public_domain" in set(image_table["status"]):
        return "If you may use them, set the source's licence, or download.public_domain_only: false."
    missing = image_table[(image_table["status"] == "missing") & ~image_table["url"].str.contains("://")]
    if len(missing):
        return f"The first missing file is {missing['url'].iloc[0]!r}. Check the paths of the source."
    return "Choose other objects."
