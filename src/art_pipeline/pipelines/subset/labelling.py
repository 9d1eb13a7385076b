"""What an object's class is: a column's value, or the group that a file puts it in."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from art_pipeline.errors import SubsetError, did_you_mean
from art_pipeline.museum.columns import SEPARATOR
from art_pipeline.pipelines.subset.options import ClassOptions


def group_labels(labels: pd.Series, options: ClassOptions) -> pd.Series:
    """Put the groups of ``options.groups`` in place of classes.

    Args:
        labels: (n,) str of all objects; several labels of one stand with ``|`` between them.
        options: The file, and what is done with classes that are not in it.

    Returns:
        (n,) str. Several labels that come into one group are one; ``""`` where none is left.

    Raises:
        SubsetError: The file is not to be read, or names a class that no object has.
    """
    if options.groups is None:
        return labels
    groups = read_groups(options.groups)
    known = {one for label in labels.unique() for one in label.split(SEPARATOR)} - {""}
    for name in groups:
        if name not in known:
            hint = did_you_mean(name, known)
            raise SubsetError(f"subset.classes.groups: no object has the label {name!r}.{hint} Leave the line out.")
    by_label = {label: _group(label, groups, options.others == "keep") for label in labels.unique()}
    return labels.map(by_label)


def read_groups(path: str) -> dict[str, str]:
    """Read a mapping from classes to groups.

    Args:
        path: A YAML of ``class: group``, or a CSV whose first two columns these are, without heads.

    Raises:
        SubsetError: It is not there, is neither, or puts a class into two groups.
    """
    file = Path(path)
    try:
        text, is_yaml = file.read_text(encoding="utf-8-sig"), file.suffix in (".yml", ".yaml")
        pairs = _pairs(yaml.safe_load(text) if is_yaml else list(csv.reader(text.splitlines())))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SubsetError(f"subset.classes.groups: {path} cannot be read: {error}") from error
    groups: dict[str, str] = {}
    for name, group in pairs:
        if groups.setdefault(name, group) != group:
            raise SubsetError(f"subset.classes.groups: {path} puts {name!r} into {groups[name]!r} and {group!r}.")
    return groups


def find_contradictions(labels: pd.Series, digests: pd.Series) -> pd.Series:
    """Objects whose picture, the same bytes, stands under another label too; (n,) bool."""
    return labels.groupby(digests).transform("nunique") > 1


def _pairs(content: Any) -> list[tuple[str, str]]:
    rows = content.items() if isinstance(content, dict) else [row for row in content or [] if row]
    pairs = [tuple(str(one or "").strip() for one in row) for row in rows]
    wrong = [pair for pair in pairs if len(pair) != 2 or not all(pair)]  # noqa: PLR2004 - class and group
    if wrong or not pairs:
        raise ValueError(f"it holds no classes with a group each; look at {wrong[:1]}")
    return pairs


def _group(label: str, groups: dict[str, str], keep: bool) -> str:
    values = [groups.get(one, one if keep else "") for one in label.split(SEPARATOR)]
    return SEPARATOR.join(dict.fromkeys(one for one in values if one))
