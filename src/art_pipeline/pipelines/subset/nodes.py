"""From objects with images to a manifest: which take part, with which label, on which side."""

import logging
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from art_pipeline.errors import LeakError, SubsetError, did_you_mean
from art_pipeline.images.near_duplicates import hash_images, near_pairs
from art_pipeline.pipelines.subset.labelling import find_contradictions, group_labels
from art_pipeline.pipelines.subset.options import ClassOptions, SubsetOptions
from art_pipeline.pipelines.subset.splitting import connect, one_a_row, split_by_class, split_by_group
from art_pipeline.pipelines.subset.telling import similar_labels, tell_sources
from art_pipeline.pipelines.subset.topping_up import KEPT, top_up
from art_pipeline.sources.columns import FLAGS, MADE, SEPARATOR, YEARS
from art_pipeline.sources.names import normal

log = logging.getLogger(__name__)

# What stays with an image on its way to report and model card.
OF_THE_IMAGE = ["md5", "source", "is_supplement", "licence", "object_url"]
USUAL_LEAST = 10


def label_objects(objects: pd.DataFrame, image_table: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """Give a label and a group to every object that has an image.

    Args:
        objects: ``object_id``, and the columns named by the options.
        image_table: ``object_id``, ``status``, and the columns of `OF_THE_IMAGE`.
        options: ``label``, ``classes.groups`` and ``split.group_by``.

    Returns:
        ``object_id`` (int64, ascending), ``label``, ``original`` (the label before classes were put
        together) and ``group`` (str, ``""`` for none), and the columns of `OF_THE_IMAGE`.
        Objects without a label are left out.

    Raises:
        SubsetError: A column is not there, or nothing is left.
    """
    original, group = _column(objects, options.label, "subset.label"), options.split.group_by
    label = group_labels(original, options.classes)
    for line in tell_sources(objects, image_table, label):
        log.info("%s", line)
    for alike in similar_labels(label[label != ""]):
        log.warning(
            "The classes %s differ in upper and lower case alone. They are separate; subset.classes.groups joins them.",
            " and ".join(map(repr, alike)),
        )
    usable = image_table.loc[image_table["status"] == "ok", ["object_id", *OF_THE_IMAGE]]
    rows = objects[objects["object_id"].isin(usable["object_id"]) & label.ne("")]
    if usable.empty:
        raise SubsetError(f"No image can be used: {_counted(image_table['status'])}. {_remedy(image_table)}")
    if rows.empty:
        raise SubsetError(
            f"None of the {len(usable)} objects with an image has a value in {options.label!r}. Columns with values: "
            f"{', '.join(_with_values(objects, usable['object_id'])) or 'none'}. Set subset.label to one of them; a "
            "column of your own table needs its name in columns or keep of the source."
        )
    groups = _column(objects, group, "subset.split.group_by")[rows.index] if group else ""
    table = pd.DataFrame(
        {"object_id": rows["object_id"], "label": label[rows.index], "original": original[rows.index], "group": groups}
    )
    return table.merge(usable, on="object_id", validate="1:1").sort_values("object_id", ignore_index=True)


def find_near_duplicates(candidates: pd.DataFrame, images: Path, options: SubsetOptions) -> pd.DataFrame:
    """Find pairs of images of the same thing.

    Returns:
        ``object_id`` and ``near`` (int64, the first the smaller), a row a pair.
    """
    ids = candidates["object_id"].to_numpy()
    pairs = near_pairs(hash_images(ids.tolist(), images), options.near_duplicates.max_distance)
    return pd.DataFrame(ids[pairs], columns=["object_id", "near"])


def choose(candidates: pd.DataFrame, near_duplicates: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """Decide about every object: kept, or why not.

    The draw of a class depends on its objects and the seed alone: adding a class changes no
    other's draw.

    Args:
        candidates: As `label_objects` returns it.
        near_duplicates: As `find_near_duplicates` returns it.
        options: Classes, number and near-duplicates. An image may give way to one whose class
            is then left out for its size; both stand in the table.

    Returns:
        ``candidates`` with ``decision``: ``kept``, ``several labels``, ``two labels`` (the same bytes
        stand under another label too), ``near-duplicate``, ``class left out`` or ``not drawn``; of the
        further source also ``group is there``, see `top_up`; and ``near`` (int64, the first of its
        near-duplicates, or 0).

    Raises:
        SubsetError: A class is unknown or too small, or fewer than two are left.
    """
    parts = {is_supplement: _without_doubtful(rows) for is_supplement, rows in candidates.groupby("is_supplement")}
    if False not in parts:
        raise SubsetError("All usable images are of supplements, which only fill up classes of the first source.")
    own = _choose_own(parts[False], near_duplicates, options)
    further = top_up(own, parts.get(True, own[:0]), near_duplicates, options)
    return pd.concat([own, further]).sort_values("object_id", ignore_index=True)


def _without_doubtful(rows: pd.DataFrame) -> pd.DataFrame:
    """Candidates of a source, with the decision about those that have not one label."""
    table = rows.reset_index(drop=True).assign(decision=KEPT, near=np.int64(0))
    several = table["label"].str.contains(SEPARATOR, regex=False)
    table.loc[find_contradictions(table["label"], table["md5"]), "decision"] = "two labels"
    table.loc[several, "decision"] = "several labels"
    return table


def _choose_own(table: pd.DataFrame, near_duplicates: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """The same of the first source alone, which decides on classes, and is held out alone."""
    # First the classes by name, so that no image gives way to one that is left out itself.
    _leave_out(table, _named_classes(table.loc[table["decision"] == KEPT, "label"], options.classes))
    if options.near_duplicates.action == "drop":
        _drop_near_duplicates(table, near_duplicates)
    _leave_out(table, _large_classes(table.loc[table["decision"] == KEPT, "label"], options))
    return _undersample(table, options)


def split(selection: pd.DataFrame, near_duplicates: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    """Divide the kept objects into train, validation and test; what fills up small classes is trained on.

    Returns:
        ``object_id`` (int64, ascending), ``label``, ``original``, ``group`` and ``split`` (str), and the
        columns of `OF_THE_IMAGE` but ``md5``.

    Raises:
        SubsetError: A class is too small to stand on every side.
    """
    kept = selection[selection["decision"] == KEPT]
    own = kept[~kept["is_supplement"]].reset_index(drop=True)
    sides = pd.Series(_divide(own, near_duplicates, options), index=own["object_id"])
    told = kept.drop(columns=["decision", "near", "md5"]).reset_index(drop=True)
    told.insert(told.columns.get_loc("group") + 1, "split", told["object_id"].map(sides).fillna("train"))
    return told


def _divide(kept: pd.DataFrame, near_duplicates: pd.DataFrame, options: SubsetOptions) -> np.ndarray:
    if options.split.group_by is None and options.near_duplicates.action != "group":
        return split_by_class(kept["object_id"], kept["label"], options.split)
    pairs = near_duplicates if options.near_duplicates.action == "group" else near_duplicates[:0]
    return split_by_group(kept["label"], connect(kept["object_id"], pairs, same=kept["group"]), options.split)


def check_leaks(divided: pd.DataFrame, near_duplicates: pd.DataFrame) -> pd.DataFrame:
    """Let the manifest pass if no near-duplicate and no group stands on two sides.

    Raises:
        LeakError: Names the pair or the group.
    """
    side = divided.set_index("object_id")["split"]
    pairs = near_duplicates[near_duplicates.isin(set(side.index)).all(axis=1)]
    crossing = pairs[side[pairs["object_id"]].to_numpy() != side[pairs["near"]].to_numpy()]
    if len(crossing):
        one, other = crossing.iloc[0]
        raise LeakError(
            f"Objects {one} ({side[one]}) and {other} ({side[other]}) show the same image on two sides of the "
            f"split, one of {len(crossing)} such pairs. Set subset.near_duplicates.action to drop or group."
        )
    values = one_a_row(divided["group"])
    sides = divided.loc[values.index, "split"].groupby(values.to_numpy()).nunique()
    if (sides > 1).any():
        raise LeakError(f"The group {sides.idxmax()!r} stands on {sides.max()} sides of the split.")
    return divided


def _column(objects: pd.DataFrame, name: str, key: str) -> pd.Series:
    if name not in objects.columns:
        hint = did_you_mean(name, objects.columns)
        raise SubsetError(f"{key}: the objects have no column {name!r}.{hint} They have: {', '.join(objects)}.")
    return objects[name].astype("string").fillna("").astype(str).map(_values)


def _values(text: str) -> str:
    """The values that stand in a text with a bar between them, each one once and in one Unicode form."""
    return SEPARATOR.join(dict.fromkeys(value for value in map(normal, text.split(SEPARATOR)) if value))


def _with_values(objects: pd.DataFrame, ids: pd.Series) -> list[str]:
    """The columns that could be labels: texts, of which one of these objects has a value."""
    rows = objects[objects["object_id"].isin(ids)]
    others = {"object_id", *MADE, *YEARS, *FLAGS, "image", "image_small", "object_url", "licence"} - {"century"}
    return [name for name in rows if name not in others and rows[name].astype("string").fillna("").ne("").any()]


def _leave_out(table: pd.DataFrame, classes: list[str]) -> None:
    table.loc[(table["decision"] == KEPT) & ~table["label"].isin(classes), "decision"] = "class left out"


def _drop_near_duplicates(table: pd.DataFrame, pairs: pd.DataFrame) -> None:
    kept = table[table["decision"] == KEPT]
    first = pd.Series(kept["object_id"].to_numpy()[connect(kept["object_id"], pairs)], index=kept.index)
    later = first[first != kept["object_id"]]
    table.loc[later.index, "decision"] = "near-duplicate"
    table.loc[later.index, "near"] = later


def _named_classes(labels: pd.Series, options: ClassOptions) -> list[str]:
    known, names = sorted(labels.unique()), [normal(name) for name in options.names]
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise SubsetError(
            f"subset.classes.names: no object with an image has the label {unknown[0]!r}.{hint} "
            f"There are: {', '.join(known)}."
        )
    return names or known


def _large_classes(labels: pd.Series, options: SubsetOptions) -> list[str]:
    sizes, least = labels.value_counts().sort_index(), _least(options)
    large = sizes[sizes >= least].sort_values(ascending=False, kind="stable")[: options.classes.top]
    if len(large) < 2:  # noqa: PLR2004 - a classifier needs two
        raise SubsetError(
            f"A classifier needs two classes, and subset.classes leaves {len(large)} with at least "
            f"{least} images. The sizes: {_listed(sizes)}. Lower min_images, or name more classes."
        )
    return sorted(large.index)


def _least(options: SubsetOptions) -> int:
    if options.classes.min_images is not None:
        return options.classes.min_images
    return options.per_class if isinstance(options.per_class, int) else USUAL_LEAST


def _undersample(table: pd.DataFrame, options: SubsetOptions) -> pd.DataFrame:
    kept = table[table["decision"] == KEPT]
    sizes = kept["label"].value_counts().sort_index()
    wanted = sizes.min() if options.per_class == "smallest" else options.per_class
    if wanted is None:
        return table
    short = sizes[sizes < wanted]
    if not short.empty:
        raise SubsetError(
            f"Cannot draw {wanted} objects from every {options.label!r}: {_listed(short)}. Lower subset.per_class "
            f"to {short.min()}, or drop these classes with subset.classes.min_images: {wanted}."
        )
    drawn = np.concatenate([_draw(rows, name, wanted, options.seed) for name, rows in kept.groupby("label")])
    left = (table["decision"] == KEPT) & ~table["object_id"].isin(drawn)
    return table.assign(decision=table["decision"].mask(left, "not drawn"))


def _draw(rows: pd.DataFrame, name: str, number: int, seed: int) -> np.ndarray:
    stream = np.random.default_rng([seed, crc32(name.encode())])
    return stream.choice(np.sort(rows["object_id"].to_numpy()), number, replace=False)


def _counted(statuses: pd.Series) -> str:
    return ", ".join(f"{number} {name}" for name, number in statuses.value_counts().sort_index().items()) or "none"


def _remedy(image_table: pd.DataFrame) -> str:
    if "not_public_domain" in set(image_table["status"]):
        return "Where you may use them, set licence of the source, or download.public_domain_only: false."
    missing = image_table[(image_table["status"] == "missing") & ~image_table["url"].str.contains("://")]
    if len(missing):
        return f"The first file that is missing is {missing['url'].iloc[0]!r}. Check folder of the source."
    return "Ask for other objects."


def _listed(sizes: pd.Series) -> str:
    return ", ".join(f"{name} has {size}" for name, size in sizes.items())
