"""What an object's class is: a column's value, or the group that a file puts it in."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml

from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import SubsetError, did_you_mean
from art_pipeline.pipelines.subset.options import ClassOptions
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.sources.datasets.csv_files import read_csv_rows
from art_pipeline.sources.names import normal


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
        path: A YAML of ``class: group``, or a CSV whose first two columns these are, without heads. In a YAML too,
            names are what is written: ``NO`` and ``1850`` need no quotes.

    Returns:
        Group by class, both NFC and without blanks around them.

    Raises:
        SubsetError: The file is not there, is neither, or puts a class into two groups.
    """
    read = _yaml_pairs if Path(path).suffix.lower() in (".yml", ".yaml") else _csv_pairs
    groups: dict[str, str] = {}
    try:
        for name, group in read(user_path(path)):
            if groups.setdefault(name, group) != group:
                raise ValueError(f"it puts {name!r} into {groups[name]!r} and {group!r}")
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise SubsetError(f"subset.classes.groups: {path} cannot be read: {error}") from error
    if not groups:
        raise SubsetError(f"subset.classes.groups: {path} holds no classes. Write class: group, one a line.")
    return groups


def find_contradictions(labels: pd.Series, digests: pd.Series) -> pd.Series:
    """Objects whose image, the same bytes, stands under another label too; (n,) bool."""
    return labels.groupby(digests).transform("nunique") > 1


def _yaml_pairs(file: Path) -> Iterator[tuple[str, str]]:
    whole = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    if not isinstance(whole, yaml.MappingNode):
        raise ValueError("it holds no lines of class: group")
    for name, group in whole.value:
        is_text = isinstance(name, yaml.ScalarNode) and isinstance(group, yaml.ScalarNode)
        fields = [name.value, group.value] if is_text else []
        yield _pair(fields, f"line {name.start_mark.line + 1}")


def _csv_pairs(file: Path) -> Iterator[tuple[str, str]]:
    for row in read_csv_rows(file, "utf-8", ","):
        yield _pair(row.fields, row.place)


def _pair(fields: list[str], place: str) -> tuple[str, str]:
    names = [normal(field) for field in fields]
    if len(names) != 2 or not all(names):  # noqa: PLR2004 - class and group
        raise ValueError(f"{place} is not a class and its group")
    if SEPARATOR in names[1]:
        raise ValueError(f"{place}: a group cannot be called {names[1]!r}, as {SEPARATOR} separates several labels")
    return names[0], names[1]


def _group(label: str, groups: dict[str, str], keep: bool) -> str:
    values = [groups.get(one, one if keep else "") for one in label.split(SEPARATOR)]
    return SEPARATOR.join(dict.fromkeys(one for one in values if one))
