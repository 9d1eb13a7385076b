"""Corrections of labels by reviewers, as ``kedro web corrections`` writes them."""

import io
import logging
from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.progress import titled
from art_pipeline.common.spreadsheet import unescape_formulas
from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import SubsetError, did_you_mean
from art_pipeline.sources.apis.json_values import is_object_id
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.sources.names import normal
from art_pipeline.tasks.corrected import number_of
from art_pipeline.tasks.label_sets import join_labels
from art_pipeline.tasks.labels import group_again
from art_pipeline.tasks.options import TaskOptions

log = logging.getLogger(__name__)

COLUMNS = ("object_id", "task", "label", "recorded_label", "reviewer", "decided_at", "model", "record", "new_labels")
NEEDED = ("object_id", "task", "label", "reviewer")
REMEDY = "Correct the row, or write the file again with kedro web corrections."


def read_file(path: str) -> bytes:
    """Return the content of a file of corrections.

    Raises:
        SubsetError: It cannot be read.
    """
    try:
        return user_path(path).read_bytes()
    except OSError as error:
        raise SubsetError(
            f"corrections: {path} cannot be read: {error.strerror or error}. Write it with kedro web corrections "
            f"--output {path}, or set corrections: null."
        ) from error


def parse_corrections(content: bytes) -> pd.DataFrame:
    """Parse a table of corrections.

    Args:
        content: CSV in UTF-8 with a header and at least the columns `NEEDED`.

    Returns:
        `COLUMNS` as str (``""`` where the file has none), except ``object_id`` (int64); and ``row``, from 1 below the
        header.

    Raises:
        SubsetError: A column is missing, an id is not a number, or two rows correct the same object in the same task.
    """
    try:
        table = pd.read_csv(io.BytesIO(content), dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError) as error:
        raise SubsetError(f"corrections: the file is not a CSV table in UTF-8: {error}.") from error
    table = unescape_formulas(table.astype(object)).fillna("")
    if missing := [name for name in NEEDED if name not in table]:
        raise SubsetError(f"corrections: the column {missing[0]!r} is missing. Columns: {', '.join(table.columns)}.")
    table = table.reindex(columns=COLUMNS, fill_value="").map(normal)
    table.insert(0, "row", np.arange(1, len(table) + 1))
    for row, text in zip(table["row"], table["object_id"], strict=True):
        if not (text.isdecimal() and is_object_id(int(text))):
            raise SubsetError(f"corrections: row {row}: {text!r} is not an object id. {REMEDY}")
    table["object_id"] = table["object_id"].astype(np.int64)
    repeated = table[table.duplicated(["object_id", "task"])]
    if len(repeated):
        one = repeated.iloc[0]
        raise SubsetError(f"corrections: row {one.row} corrects object {one.object_id} a second time. {REMEDY}")
    return table


def check_tasks(corrections: pd.DataFrame, tasks: Collection[str]) -> None:
    """Check that each row is of a task of params.yaml.

    Raises:
        SubsetError: Names the first row that is not.
    """
    unknown = corrections[~corrections["task"].isin(set(tasks))]
    if len(unknown):
        row, name = unknown.iloc[0][["row", "task"]]
        hint = did_you_mean(name, tasks)
        raise SubsetError(f"corrections: row {row}: there is no task {name!r}.{hint} Tasks: {', '.join(tasks)}.")


def of_task(corrections: pd.DataFrame, task: str) -> pd.DataFrame:
    """Return the rows of a task."""
    return corrections[corrections["task"] == task].reset_index(drop=True)


def correct_labels(
    table: pd.DataFrame, corrections: pd.DataFrame, options: TaskOptions, known: Collection[str]
) -> pd.DataFrame:
    """Replace recorded labels by those that reviewers gave.

    An object whose image has the same bytes as that of a corrected one is corrected too: otherwise the two would
    contradict each other.

    Args:
        table: ``object_id``, ``md5`` (``""`` without an image) and ``label`` (after classes were grouped) of all
            objects.
        corrections: Those of the task, as `parse_corrections` returns them.
        options: The task.
        known: All labels, before and after classes were grouped.

    Returns:
        (objects,) ``label``, ``recorded_label``, and ``corrected_by``: who gave another label than the record, ``""``
        for nobody.

    Raises:
        SubsetError: Names the row whose object or label is not known, or which has several labels for one class.
    """
    _check_rows(corrections, set(table["object_id"]), options, set(known))
    labels = group_again(corrections["label"].map(_joined), options.classes)
    given = pd.DataFrame({"label": labels, "by": corrections["reviewer"]}).set_index(corrections["object_id"])
    own = table[["object_id", "md5"]].join(given, on="object_id")
    with_image = own[own["md5"].ne("") & own["label"].notna()].drop_duplicates("md5").set_index("md5")
    label = own["label"].where(own["label"].notna(), own["md5"].map(with_image["label"]))
    by = own["by"].where(own["by"].notna(), own["md5"].map(with_image["by"]))
    changed = label.notna() & label.ne(table["label"])
    _log(corrections, changed, changed & own["label"].isna())
    recorded, by = table["label"], by.where(changed, "")
    label = label.where(label.notna(), recorded)
    return pd.DataFrame({"label": label, "recorded_label": recorded, "corrected_by": by})


def freeze_test_labels(candidates: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Give test images their recorded labels again.

    Args:
        candidates: ``object_id``, ``label`` and ``recorded_label``.
        before: ``object_id`` and ``split``, without any correction.
    """
    frozen = candidates["object_id"].isin(before.loc[before["split"] == "test", "object_id"])
    return candidates.assign(label=candidates["label"].mask(frozen, candidates["recorded_label"]))


def preferred(candidates: pd.DataFrame, before: pd.DataFrame, seed: int) -> NDArray[np.int64]:
    """Return the objects that are sampled first, so that corrections change a sample as little as possible.

    Args:
        candidates: ``object_id`` and ``corrected_by``.
        before: ``object_id`` and ``split`` of the images that are used without any correction.
        seed: Random seed of the order within each part.

    Returns:
        Ids of the images of ``before``: those of the test split, then corrected ones, then the others at random.
    """
    shuffled = before["object_id"].sort_values().to_numpy()
    shuffled = np.random.default_rng([seed, 2]).permutation(shuffled)
    test = np.isin(shuffled, before.loc[before["split"] == "test", "object_id"])
    corrected = np.isin(shuffled, candidates.loc[candidates["corrected_by"] != "", "object_id"])
    return np.concatenate([shuffled[test], shuffled[~test & corrected], shuffled[~test & ~corrected]])


def keep_splits(
    splits: "pd.Series[str]", before: pd.DataFrame, groups: NDArray[np.int64] | None, *, frozen: bool
) -> "pd.Series[str]":
    """Return the splits without any correction, for the objects that had one and the members of their groups.

    Args:
        splits: Splits by object id, as corrected.
        before: ``object_id`` and ``split``, without any correction.
        groups: (n,) groups that stay together; None for none.
        frozen: Whether no other object may be in the test split; they are for training then.
    """
    known = splits.index.to_series().map(before.set_index("object_id")["split"])
    if groups is not None:
        known = known.groupby(groups).transform("first")
    return known.where(known.notna(), splits.replace("test", "train") if frozen else splits)


def _check_rows(corrections: pd.DataFrame, objects: set[int], options: TaskOptions, known: set[str]) -> None:
    for one in corrections.itertuples():
        if one.object_id not in objects:
            raise SubsetError(
                f"corrections: row {one.row}: the source has no object {one.object_id}. Remove the row, or write the "
                "file again with kedro web corrections."
            )
        labels = _split(str(one.label))
        if options.kind == "multiclass" and len(labels) != 1:
            raise SubsetError(
                f"corrections: row {one.row} has {len(labels)} labels, {one.label!r}, but the task is multiclass. "
                + REMEDY
            )
        for label in labels:
            if label not in known | set(_split(str(one.new_labels))):
                hint = did_you_mean(label, known)
                raise SubsetError(
                    f"corrections: row {one.row}: no object has the label {label!r}.{hint} Correct it, or, if it is "
                    "new, write it in the column new_labels too."
                )


def _log(corrections: pd.DataFrame, changed: "pd.Series[bool]", copies: "pd.Series[bool]") -> None:
    number = int(changed.sum())
    more = f", {int(copies.sum())} of them as their image is that of a corrected object" if copies.any() else ""
    text = f"{number_of('reviewed object', len(corrections))}: {number_of('label', number)} corrected{more}."
    log.info("%s", titled(text))


def _split(joined: str) -> list[str]:
    return [one for one in map(normal, joined.split(SEPARATOR)) if one]


def _joined(text: str) -> str:
    return join_labels(_split(text))
