"""Nodes of the subset: label, select and split objects, and check for leaks."""

import logging
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import LeakError, SubsetError, did_you_mean
from art_pipeline.images.near_duplicates import hash_images, near_pairs
from art_pipeline.pipelines.subset.labels import find_conflicts, group_labels
from art_pipeline.pipelines.subset.options import ClassOptions, SubsetOptions
from art_pipeline.pipelines.subset.source_summary import similar_labels, summarise_sources
from art_pipeline.pipelines.subset.splits import connected_groups, explode_values, split_by_class, split_by_group
from art_pipeline.pipelines.subset.supplement import KEPT, select_supplement
from art_pipeline.sources.columns import FLAGS, MADE, SEPARATOR, YEARS
from art_pipeline.sources.names import normal

log = logging.getLogger(__name__)

# Columns of the image table that the manifest keeps, for the report and the model card.
IMAGE_COLUMNS = ["md5", "source", "is_supplement", "licence", "object_url"]
DEFAULT_MIN_IMAGES = 10


def label_objects(objects: pd.DataFrame, image_table: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """Add a label and a group to every object that has an image.

    Args:
        objects: ``object_id``, and the columns named by the options.
        image_table: ``object_id``, ``status``, and `IMAGE_COLUMNS`.
        options: ``label``, ``classes.groups`` and ``split.group_by``.

    Returns:
        ``object_id`` (int64, ascending), ``label``, ``original_label`` (before classes were grouped), ``group`` (str;
        ``""`` for none) and `IMAGE_COLUMNS`. Objects without a label are excluded.

    Raises:
        SubsetError: A column is missing, or no object is left.
    """
    original, group = _column(objects, options.label, "subset.label"), options.split.group_by
    label = group_labels(original, options.classes)
    _log_summary(objects, image_table, label)
    usable = image_table.loc[image_table["status"] == "ok", ["object_id", *IMAGE_COLUMNS]]
    rows = objects[objects["object_id"].isin(usable["object_id"]) & label.ne("")]
    if usable.empty:
        raise SubsetError(f"There are no usable images: {_counted(image_table['status'])}. {_remedy(image_table)}")
    if rows.empty:
        raise SubsetError(
            f"None of the {len(usable)} objects with an image has a value in {options.label!r}. Columns with values: "
            f"{', '.join(_with_values(objects, usable['object_id'])) or 'none'}. Set subset.label to one of them; for "
            "another column of your own table, add it to the source's columns or keep."
        )
    groups = _column(objects, group, "subset.split.group_by")[rows.index] if group else ""
    table = rows[["object_id"]].assign(label=label, original_label=original, group=groups)
    return table.merge(usable, on="object_id", validate="1:1").sort_values("object_id", ignore_index=True)


def _log_summary(objects: pd.DataFrame, image_table: pd.DataFrame, labels: "pd.Series[str]") -> None:
    for line in summarise_sources(objects, image_table, labels):
        log.info("%s", line)
    for similar in similar_labels(labels[labels != ""]):
        log.warning(
            "The classes %s differ only in case. They are separate; to merge them, use subset.classes.groups.",
            " and ".join(map(repr, similar)),
        )


def find_near_duplicates(candidates: pd.DataFrame, images: Path, options: SubsetOptions) -> pd.DataFrame:
    """Find pairs of near-duplicate images by perceptual hashes.

    Returns:
        ``object_id`` and ``other_id`` (int64, the larger one), one row per pair.
    """
    ids = candidates["object_id"].to_numpy()
    pairs = near_pairs(hash_images(ids.tolist(), images), options.near_duplicates.max_distance)
    return pd.DataFrame(ids[pairs], columns=["object_id", "other_id"])


def select_images(candidates: pd.DataFrame, near_duplicates: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """Decide which images are kept, and why the others are not.

    The sample of a class depends only on its objects and the seed: other classes do not change it.

    Args:
        candidates: What `label_objects` returns.
        near_duplicates: What `find_near_duplicates` returns.
        options: Classes, number of images, and near-duplicates.

    Returns:
        ``candidates`` with ``decision`` and ``near_duplicate_of`` (int64, the first of its near-duplicates, or 0).
        Decisions are ``kept``, ``multiple_labels``, ``conflicting_labels`` (the same bytes occur under another label),
        ``near_duplicate``, ``class_excluded``, ``not_sampled``, and in supplementary sources
        ``group_in_primary_source`` (see `select_supplement`). A near-duplicate may belong to an object whose class is
        excluded later for its size.

    Raises:
        SubsetError: A class is unknown or too small, or fewer than two are left.
    """
    parts = {is_supplement: _exclude_ambiguous(rows) for is_supplement, rows in candidates.groupby("is_supplement")}
    if False not in parts:
        raise SubsetError("All usable images are from supplements, which only fill classes of the first source.")
    primary = _select_primary(parts[False], near_duplicates, options)
    supplement = select_supplement(primary, parts.get(True, primary[:0]), near_duplicates, options)
    return pd.concat([primary, supplement]).sort_values("object_id", ignore_index=True)


def _exclude_ambiguous(rows: pd.DataFrame) -> pd.DataFrame:
    """Exclude the objects of a source that have several or conflicting labels."""
    table = rows.reset_index(drop=True).assign(decision=KEPT, near_duplicate_of=np.int64(0))
    multiple = table["label"].str.contains(SEPARATOR, regex=False)
    table.loc[find_conflicts(table["label"], table["md5"]), "decision"] = "conflicting_labels"
    table.loc[multiple, "decision"] = "multiple_labels"
    return table


def _select_primary(table: pd.DataFrame, near_duplicates: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """Select objects of the primary source, which defines the classes and the test split."""
    # Classes by name come first, so that no image is dropped as a near-duplicate of an excluded one.
    _exclude_other_classes(table, _named_classes(table.loc[table["decision"] == KEPT, "label"], options.classes))
    if options.near_duplicates.action == "drop":
        _drop_near_duplicates(table, near_duplicates)
    _exclude_other_classes(table, _large_classes(table.loc[table["decision"] == KEPT, "label"], options))
    return _undersample(table, options)


def split_images(selection: pd.DataFrame, near_duplicates: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """Split the kept images into training, validation and test; supplementary objects are for training.

    Returns:
        ``object_id`` (int64, ascending), ``label``, ``original_label``, ``group`` and ``split`` (str: ``train``,
        ``validation`` or ``test``), and `IMAGE_COLUMNS` without ``md5``.

    Raises:
        SubsetError: A class has too few objects for all splits.
    """
    kept = selection[selection["decision"] == KEPT]
    primary = kept[~kept["is_supplement"]].reset_index(drop=True)
    splits = pd.Series(_split(primary, near_duplicates, options), index=primary["object_id"])
    table = kept.drop(columns=["decision", "near_duplicate_of", "md5"]).reset_index(drop=True)
    position = list(table.columns).index("group") + 1
    table.insert(position, "split", table["object_id"].map(splits).fillna("train"))
    return table


def _split(kept: pd.DataFrame, near_duplicates: pd.DataFrame, options: SubsetOptions) -> NDArray[np.object_]:
    if options.split.group_by is None and options.near_duplicates.action != "group":
        return split_by_class(kept["object_id"], kept["label"], options.split)
    pairs = near_duplicates if options.near_duplicates.action == "group" else near_duplicates[:0]
    return split_by_group(kept["label"], connected_groups(kept["object_id"], pairs, kept["group"]), options.split)


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
            f"{len(leaks)} such pairs. Set subset.near_duplicates.action to drop or group."
        )
    values = explode_values(manifest["group"])
    splits = manifest.loc[values.index, "split"].groupby(values.to_numpy()).nunique()
    if (splits > 1).any():
        raise LeakError(f"The group {splits.idxmax()!r} is in {splits.max()} splits.")
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


def _exclude_other_classes(table: pd.DataFrame, classes: list[str]) -> None:
    table.loc[(table["decision"] == KEPT) & ~table["label"].isin(classes), "decision"] = "class_excluded"


def _drop_near_duplicates(table: pd.DataFrame, pairs: pd.DataFrame) -> None:
    kept = table[table["decision"] == KEPT]
    first = pd.Series(kept["object_id"].to_numpy()[connected_groups(kept["object_id"], pairs)], index=kept.index)
    later = first[first != kept["object_id"]]
    table.loc[later.index, "decision"] = "near_duplicate"
    table.loc[later.index, "near_duplicate_of"] = later


def _named_classes(labels: "pd.Series[str]", options: ClassOptions) -> list[str]:
    known, names = sorted(labels.unique()), [normal(name) for name in options.names]
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise SubsetError(
            f"subset.classes.names: no object with an image has the label {unknown[0]!r}.{hint} "
            f"Labels: {', '.join(known)}."
        )
    return names or known


def _large_classes(labels: "pd.Series[str]", options: SubsetOptions) -> list[str]:
    sizes, minimum = labels.value_counts().sort_index(), _min_images(options)
    large = sizes[sizes >= minimum].sort_values(ascending=False, kind="stable")[: options.classes.top]
    if len(large) < 2:  # noqa: PLR2004 - a classifier needs two
        raise SubsetError(
            f"A classifier needs two classes, but {len(large)} have at least {minimum} images: {_listed(sizes)}. Lower "
            "subset.classes.min_images, or name more classes."
        )
    return sorted(large.index)


def _min_images(options: SubsetOptions) -> int:
    if options.classes.min_images is not None:
        return options.classes.min_images
    return options.images_per_class if isinstance(options.images_per_class, int) else DEFAULT_MIN_IMAGES


def _undersample(table: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    kept = table[table["decision"] == KEPT]
    sizes = kept["label"].value_counts().sort_index()
    wanted = sizes.min() if options.images_per_class == "smallest" else options.images_per_class
    if wanted is None:
        return table
    short = sizes[sizes < wanted]
    if not short.empty:
        raise SubsetError(
            f"Cannot sample {wanted} images from each class: {_listed(short)}. Lower subset.images_per_class to "
            f"{short.min()}, or exclude these classes with subset.classes.min_images: {wanted}."
        )
    sampled = np.concatenate([_sample(rows, str(name), wanted, options.seed) for name, rows in kept.groupby("label")])
    excluded = (table["decision"] == KEPT) & ~table["object_id"].isin(sampled)
    return table.assign(decision=table["decision"].mask(excluded, "not_sampled"))


def _sample(rows: pd.DataFrame, name: str, number: int, seed: int) -> NDArray[np.int64]:
    stream = np.random.default_rng([seed, crc32(name.encode())])
    return stream.choice(np.sort(rows["object_id"].to_numpy()), number, replace=False)


def _counted(statuses: "pd.Series[str]") -> str:
    return ", ".join(f"{number} {name}" for name, number in statuses.value_counts().sort_index().items()) or "none"


def _remedy(image_table: pd.DataFrame) -> str:
    if "not_public_domain" in set(image_table["status"]):
        return "If you may use them, set the source's licence, or download.public_domain_only: false."
    missing = image_table[(image_table["status"] == "missing") & ~image_table["url"].str.contains("://")]
    if len(missing):
        return f"The first missing file is {missing['url'].iloc[0]!r}. Check the paths of the source."
    return "Choose other objects."


def _listed(sizes: "pd.Series[int]") -> str:
    return ", ".join(f"{name} has {size}" for name, size in sizes.items())
