"""The outcome of one check of a result."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MAX_NAMES = 3  # that a message lists


class Status(StrEnum):
    """Outcome of a check."""

    PROVEN = "proven"
    MISSING = "missing"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """A check of one link of the provenance chain.

    Attributes:
        name: What was checked.
        status: The outcome; ``skipped`` where the record says that there is nothing to check.
        message: What was found.
        remedy: What to do; empty where nothing is to be done.
    """

    name: str
    status: Status
    message: str
    remedy: str = ""


def check_none(name: str, offending: Iterable[str], problem: str, message: str, remedy: str) -> Check:
    """Return a proven check where ``offending`` is empty, a broken one that lists it otherwise.

    Args:
        name: What was checked.
        offending: Names of what does not pass.
        problem: What is wrong with them, such as ``differs``.
        message: What to report where there are none.
        remedy: What to do where there are any.

    >>> check_none("code", [], "differs", "2 files", "git diff").message
    '2 files'
    >>> check_none("code", ["a.py", "b.py"], "differs", "2 files", "git diff").message
    'a.py, b.py differs'
    """
    if found := list(offending):
        return Check(name, Status.BROKEN, f"{shorten(found)} {problem}".rstrip(), remedy)
    return Check(name, Status.PROVEN, message)


def shorten(names: list[str]) -> str:
    """Return the first few names, and how many more there are.

    >>> shorten(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more
