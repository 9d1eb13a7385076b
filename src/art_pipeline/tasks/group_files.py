"""Files that put classes together in groups."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import SubsetError
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.sources.datasets.csv_files import read_csv_rows
from art_pipeline.sources.names import normal


def read_groups(path: str, key: str = "classes.groups") -> dict[str, str]:
    """Read a mapping from classes to groups.

    Args:
        path: A YAML file of ``class: group``, or a CSV file of two columns, class and group, without a header. Names
            are read as text: ``NO`` and ``1850`` need no quotes, also in YAML.
        key: The parameter that names it, for error messages.

    Returns:
        Group by class, both in NFC and stripped.

    Raises:
        SubsetError: The file is missing or malformed, or maps a class to two groups.
    """
    read = _yaml_pairs if Path(path).suffix.lower() in (".yml", ".yaml") else _csv_pairs
    groups: dict[str, str] = {}
    try:
        for name, group in read(user_path(path)):
            if groups.setdefault(name, group) != group:
                raise ValueError(f"{name!r} is in two groups, {groups[name]!r} and {group!r}")
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise SubsetError(f"{key}: {path} cannot be read: {error}") from error
    if not groups:
        raise SubsetError(f"{key}: {path} is empty. Write one class: group per line.")
    return groups


def _yaml_pairs(file: Path) -> Iterator[tuple[str, str]]:
    whole = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    if not isinstance(whole, yaml.MappingNode):
        raise ValueError("it is not a mapping of class: group")
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
        raise ValueError(f"{place} is not a class and a group")
    if SEPARATOR in names[1]:
        raise ValueError(f"{place}: the group {names[1]!r} contains {SEPARATOR}, which separates labels")
    return names[0], names[1]
