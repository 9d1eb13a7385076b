"""Departments of the Metropolitan Museum, which its list and its objects spell differently."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from art_pipeline.errors import MuseumError, did_you_mean
from art_pipeline.sources.apis.json_values import is_object_id

log = logging.getLogger(__name__)

# Spelling in ``/departments`` → spelling in the objects.
SPELLED_IN_OBJECTS = {
    "American Decorative Arts": "The American Wing",
    "Modern Art": "Modern and Contemporary Art",
    "The Costume Institute": "Costume Institute",
    "The Robert Lehman Collection": "Robert Lehman Collection",
}


class Department(NamedTuple):
    """A department: its id, and its name as the objects spell it."""

    id: int
    name: str

    @property
    def names(self) -> list[str]:
        """Both spellings of the name."""
        return [self.name, *(old for old, new in SPELLED_IN_OBJECTS.items() if new == self.name)]


def parse_departments(listed: Sequence[Any], url: str) -> list[Department]:
    """Return the entries of ``/departments``, by id; an unusable one is skipped with a warning.

    Args:
        listed: Objects with ``departmentId`` (int) and ``displayName`` (str).
        url: Where they come from, for messages.

    Raises:
        MuseumError: No entry is usable.
    """
    departments = []
    for entry in listed:
        if _is_department(entry):
            name = entry["displayName"]
            departments.append(Department(entry["departmentId"], SPELLED_IN_OBJECTS.get(name, name)))
        else:
            log.warning("%s lists %.80r, which is not a department: skipped.", url, entry)
    if listed and not departments:
        raise MuseumError(f"{url} lists no department with a usable 'departmentId' and 'displayName'.")
    return sorted(departments)


def choose_departments(known: Sequence[Department], wanted: Sequence[int | str]) -> list[Department]:
    """Return the wanted departments, found by id or by either spelling.

    Args:
        known: All departments of the museum.
        wanted: Ids or names, case-insensitive; empty for all.

    Returns:
        The departments in the order of ``known``, each once.

    Raises:
        MuseumError: A department is unknown; names the closest match, and all known ones.

    >>> choose_departments([Department(6, "Asian Art"), Department(19, "Photographs")], ["photographs"])
    [Department(id=19, name='Photographs')]
    """
    if not wanted:
        return list(known)
    by_key = {key.casefold(): one for one in known for key in (str(one.id), *one.names)}
    chosen = {_find(by_key, item, known) for item in wanted}
    return [department for department in known if department in chosen]


def _is_department(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    name = entry.get("displayName")
    return is_object_id(entry.get("departmentId")) and isinstance(name, str) and bool(name.strip())


def _find(by_key: dict[str, Department], item: int | str, known: Sequence[Department]) -> Department:
    key = str(item).strip().casefold()
    if key in by_key:
        return by_key[key]
    hint = did_you_mean(key, (name for department in known for name in department.names))
    listed = ", ".join(f"{department.id} {department.name}" for department in known)
    raise MuseumError(f"departments: the museum has no department {item!r}.{hint} It has: {listed}.")
