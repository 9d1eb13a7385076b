"""Fields of a museum's JSON, whatever type they have: read where that is safe, named where it is not."""

from collections.abc import Callable, Mapping
from functools import wraps

from art_pipeline.sources.columns import SEPARATOR

FURTHEST_YEAR = 10**9
LARGEST_ID = 2**63 - 1  # of a table's int64
FLAGS = {"true": True, "false": False, "": False}


class UnexpectedFieldError(Exception):
    """A field holds JSON of a type that cannot stand for its value."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name

    @property
    def status(self) -> str:
        """Of the record: ``unexpected: <field>``."""
        return f"unexpected: {self.name}"


def maps_records(id_field: str) -> Callable:
    """Decorate a function from a record to columns, so that a record that cannot be read becomes a status.

    Args:
        id_field: Field that is named where the record is no JSON object at all.
    """

    def decorate(to_row: Callable[[dict], dict]) -> Callable[[object], dict]:
        @wraps(to_row)
        def mapped(record: object) -> dict:
            if not isinstance(record, dict):
                return {"status": UnexpectedFieldError(id_field).status}
            try:
                return to_row(record)
            except UnexpectedFieldError as error:
                return {"status": error.status}

        return mapped

    return decorate


def is_object_id(value: object) -> bool:
    """Whether a value can be an object's number: an integer from 0 to 2**63 - 1, and no bool."""
    return type(value) is int and 0 <= value <= LARGEST_ID


def text_of(record: Mapping[str, object], name: str) -> str:
    """A text without blanks around it; a number as text, several values with `SEPARATOR` between them, ``""`` for none.

    Raises:
        UnexpectedFieldError: It is something else.
    """
    value = record.get(name)
    return several_of(record, name) if isinstance(value, list) else _text(value, name)


def several_of(record: Mapping[str, object], name: str, key: str = "") -> str:
    """The values of a list with `SEPARATOR` between them; of objects, those of ``key``. One value is a list of one.

    Raises:
        UnexpectedFieldError: A value is no text and no number.
    """
    value = record.get(name)
    values = value if isinstance(value, list) else [value]
    told = (_text(one.get(key) if key and isinstance(one, dict) else one, name) for one in values)
    return SEPARATOR.join(one.replace(SEPARATOR, "/") for one in told if one)


def first_of(record: Mapping[str, object], name: str) -> object:
    """The first value of a list, or the one value that there is; None for none."""
    value = record.get(name)
    if isinstance(value, list):
        return value[0] if value else None
    return value


def address_of(record: Mapping[str, object], name: str) -> str:
    """An address, the first of several; ``""`` for none.

    Raises:
        UnexpectedFieldError: It is something else.
    """
    return _text(first_of(record, name), name)


def flag_of(record: Mapping[str, object], name: str) -> bool:
    """True or False, also where it is written as a text or a number; False for none.

    Raises:
        UnexpectedFieldError: It is something else.
    """
    value = record.get(name)
    if isinstance(value, str):
        value = FLAGS.get(value.strip().casefold(), value)
    if value is not None and value not in (0, 1):
        raise UnexpectedFieldError(name)
    return bool(value)


def year_of(value: object) -> int | None:
    """A year as a number or a text; None for anything else, and beyond a thousand million."""
    try:
        year = None if isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return year if year is not None and abs(year) <= FURTHEST_YEAR else None


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value:
        raise UnexpectedFieldError(name)
    return ""
