"""Departments, which the museum's list and its objects spell differently."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from art_pipeline.errors import MuseumError, did_you_mean
from art_pipeline.sources.apis.json_values import is_object_id

log = logging.getLogger(__name__)

# Spelling in ``/departments`` -> spelling in the objects themselves.
SPELLED_IN_OBJECTS = {
    "American Decorative Arts": "The American Wing",
    "Modern Art": "Modern and Contemporary Art",
    "The Costume Institute": "Costume Institute",
    "The Robert Lehman Collection": "Robert Lehman Collection",
}


@dataclass(frozen=True)
class Department:
    """A department: its id, and its name as the museum's objects spell it."""

    id: int
    name: str

    @classmethod
    def from_answers(cls, listed: Sequence[object], address: str) -> list[Self]:
        """The entries of the answer of ``/departments``, by id; one that cannot be read is left out, with a warning.

        Args:
            listed: Objects with ``departmentId`` (int) and ``displayName`` (str).
            address: Where they come from.

        Raises:
            MuseumError: None can be read.
        """
        usable = [one for one in listed if _is_department(one)]
        for one in listed:
            if not _is_department(one):
                log.warning("%s lists %.80r, which is no department: left out.", address, one)
        if listed and not usable:
            raise MuseumError(f"{address} lists no department with a usable 'departmentId' and 'displayName'.")
        names = [(one["departmentId"], one["displayName"]) for one in usable]
        return sorted((cls(id_, SPELLED_IN_OBJECTS.get(name, name)) for id_, name in names), key=lambda one: one.id)


def _is_department(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    name = entry.get("displayName")
    return is_object_id(entry.get("departmentId")) and isinstance(name, str) and bool(name.strip())


def choose_departments(known: Sequence[Department], wanted: Sequence[int | str]) -> list[Department]:
    """Find the departments that are wanted, by id or by either spelling.

    Args:
        known: Every department of the museum.
        wanted: Ids or names; upper and lower case are alike. Empty means all.

    Returns:
        The departments in the order of ``known``, each once.

    Raises:
        MuseumError: A department is not known; names the nearest, and all there are.
    """
    if not wanted:
        return list(known)
    by_key = {name.casefold(): department for department in known for name in _names(department)}
    chosen = {_find(by_key, item, known) for item in wanted}
    return [department for department in known if department in chosen]


def _names(department: Department) -> list[str]:
    listed = [old for old, new in SPELLED_IN_OBJECTS.items() if new == department.name]
    return [str(department.id), department.name, *listed]


def _find(by_key: dict[str, Department], item: int | str, known: Sequence[Department]) -> Department:
    key = str(item).strip().casefold()
    if key in by_key:
        return by_key[key]
    hint = did_you_mean(key, (name for department in known for name in _names(department)[1:]))
    listed = ", ".join(f"{department.id} {department.name}" for department in known)
    raise MuseumError(f"museum.departments: the museum has no department {item!r}.{hint} It has: {listed}.")
