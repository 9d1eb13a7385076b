"""Labels of objects: the values of a column, or groups of them."""

import logging

import numpy as np
import pandas as pd

from art_pipeline.common.progress import titled
from art_pipeline.errors import SubsetError, did_you_mean
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.tasks.group_files import read_groups
from art_pipeline.tasks.label_sets import unite_labels
from art_pipeline.tasks.options import ClassOptions
from art_pipeline.tasks.supplement import KEPT

log = logging.getLogger(__name__)


def group_labels(labels: "pd.Series[str]", options: ClassOptions) -> "pd.Series[str]":
    """Replace classes by the groups of the file ``options.groups``.

    Args:
        labels: (n,) str of all objects; several labels of one object are separated by ``|``.
        options: ``groups``, and ``others`` for classes that are not in the file.

    Returns:
        (n,) str. Labels of the same group become one; ``""`` where no label remains.

    Raises:
        SubsetError: The file cannot be read, or names a class that no object has.
    """
    if options.groups is None:
        return labels
    groups = read_groups(options.groups)
    known = {one for label in labels.unique() for one in label.split(SEPARATOR)} - {""}
    for name in groups:
        if name not in known:
            hint = did_you_mean(name, known)
            raise SubsetError(f"classes.groups: no object has the label {name!r}.{hint} Correct or remove the line.")
    by_label = {label: _group(label, groups, options.others == "keep") for label in labels.unique()}
    return labels.map(by_label)


def group_again(labels: "pd.Series[str]", options: ClassOptions) -> "pd.Series[str]":
    """Replace classes by groups, as `group_labels`, in labels that may be groups already, such as those of models."""
    if options.groups is None:
        return labels
    groups = read_groups(options.groups)
    groups |= {name: name for name in groups.values()}
    return labels.map(lambda label: _group(label, groups, options.others == "keep"))


def exclude_ambiguous(rows: pd.DataFrame) -> pd.DataFrame:
    """Exclude the objects of a source that have several labels, or whose image also occurs under another label.

    Args:
        rows: ``label`` and ``md5``.

    Returns:
        ``rows`` with ``decision`` and ``near_duplicate_of`` (0).
    """
    table = _undecided(rows)
    multiple = table["label"].str.contains(SEPARATOR, regex=False)
    conflicting = table["label"].groupby(table["md5"]).transform("nunique") > 1
    table.loc[conflicting, "decision"] = "conflicting_labels"
    table.loc[multiple, "decision"] = "multiple_labels"
    return table


def unite_copies(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the objects of a source whose images have the same bytes the union of their labels; as `exclude_ambiguous`.

    Logs the number of images that gain labels.
    """
    table = _undecided(rows)
    united = unite_labels(table["label"], table["md5"])
    if changed := int(united.ne(table["label"]).sum()):
        log.info("%s", titled(f"Labels were added to {changed:,} images from other objects with the same image."))
    return table.assign(label=united)


def _undecided(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reset_index(drop=True).assign(decision=KEPT, near_duplicate_of=np.int64(0))


def _group(label: str, groups: dict[str, str], keep: bool) -> str:
    values = [groups.get(one, one if keep else "") for one in label.split(SEPARATOR)]
    return SEPARATOR.join(dict.fromkeys(one for one in values if one))
