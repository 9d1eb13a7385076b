"""Read fields of a museum's JSON of any type: convert them where that is safe, name them where it is not."""

from collections.abc import Callable, Mapping
from functools import wraps
from types import UnionType
from typing import Any

from art_pipeline.sources.columns import SEPARATOR

MAX_YEAR = 10**9
MAX_ID = 2**63 - 1  # a table's int64
FLAGS = {"true": True, "false": False, "": False}

Record = Mapping[str, object]


class UnexpectedFieldError(Exception):
    """A field has a value of a type that cannot be converted."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name

    @property
    def status(self) -> str:
        """The record's status: ``unexpected: <field>``."""
        return f"unexpected: {self.name}"


def require_field(key: str, kind: type | UnionType) -> Callable[[object], None]:
    """Return a check that a JSON value is an object whose field ``key`` is of type ``kind``; a bool is not an int.

    >>> require_field("total", int)({"total": 3})
    >>> require_field("total", int)({"total": True})
    Traceback (most recent call last):
    ...
    art_pipeline.sources.apis.json_values.UnexpectedFieldError: total
    """

    def check(value: object) -> None:
        field = value.get(key, check) if isinstance(value, dict) else check
        if not isinstance(field, kind) or isinstance(field, bool):
            raise UnexpectedFieldError(key)

    return check


ToRow = Callable[[Any], dict[str, object]]


def maps_records(id_field: str) -> Callable[[ToRow], ToRow]:
    """Decorate a function from a record to columns, so that an unreadable record becomes a status.

    Args:
        id_field: Field to name where the record is not a JSON object.
    """

    def decorate(to_row: ToRow) -> ToRow:
        @wraps(to_row)
        def mapped(record: object) -> dict[str, object]:
            if not isinstance(record, dict):
                return {"status": UnexpectedFieldError(id_field).status}
            try:
                return to_row(record)
            except UnexpectedFieldError as error:
                return {"status": error.status}

        return mapped

    return decorate


def is_object_id(value: object) -> bool:
    """Whether a value is a usable id: an integer from 0 to 2**63 - 1, and not a bool.

    >>> is_object_id(7), is_object_id(True), is_object_id("7"), is_object_id(2**63)
    (True, False, False, False)
    """
    return type(value) is int and 0 <= value <= MAX_ID


def text_of(record: Record, name: str) -> str:
    """Return a text, stripped; a number as text, several values joined by `SEPARATOR`, ``""`` for none.

    Raises:
        UnexpectedFieldError: The value is of another type.

    >>> text_of({"title": " Wheat Field "}, "title"), text_of({"title": ["a", 2]}, "title")
    ('Wheat Field', 'a|2')
    """
    value = record.get(name)
    return several_of(record, name) if isinstance(value, list) else _text(value, name)


def several_of(record: Record, name: str, key: str = "") -> str:
    """Return the values of a list joined by `SEPARATOR`; of objects, those of ``key``.

    Raises:
        UnexpectedFieldError: A value is neither a text nor a number.

    >>> several_of({"tags": [{"term": "Men"}, "Boats"]}, "tags", "term")
    'Men|Boats'
    """
    value = record.get(name)
    values = value if isinstance(value, list) else [value]
    texts = (_text(one.get(key) if key and isinstance(one, dict) else one, name) for one in values)
    return SEPARATOR.join(text.replace(SEPARATOR, "/") for text in texts if text)


def first_of(record: Record, name: str) -> object:
    """Return the first value of a list, or a single value; None for none."""
    value = record.get(name)
    if isinstance(value, list):
        return value[0] if value else None
    return value


def url_of(record: Record, name: str) -> str:
    """Return a URL, the first of several; ``""`` for none.

    Raises:
        UnexpectedFieldError: The value is of another type.
    """
    return _text(first_of(record, name), name)


def flag_of(record: Record, name: str) -> bool:
    """Return a bool, also from a text or a number; False for none.

    Raises:
        UnexpectedFieldError: The value is of another type.

    >>> flag_of({"isPublicDomain": "True"}, "isPublicDomain"), flag_of({}, "isPublicDomain")
    (True, False)
    """
    value = record.get(name)
    if isinstance(value, str):
        value = FLAGS.get(value.strip().casefold(), value)
    if value is not None and value not in (0, 1):
        raise UnexpectedFieldError(name)
    return bool(value)


def year_of(value: object) -> int | None:
    """Return a year from a number or a text; None for anything else, and beyond ±`MAX_YEAR`.

    >>> year_of("-450"), year_of("unknown")
    (-450, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        year = int(value)
    except (ValueError, OverflowError):
        return None
    return year if abs(year) <= MAX_YEAR else None


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value:
        raise UnexpectedFieldError(name)
    return ""
