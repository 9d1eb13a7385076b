"""What comes back from a museum, and what it means: an answer, or which kind of failure."""

import re
from collections.abc import Callable
from contextlib import suppress
from types import UnionType
from urllib.parse import urljoin

import requests
from requests.exceptions import ChunkedEncodingError

from art_pipeline.errors import MuseumUnreachableError

CHUNK = 1 << 16
GONE = (404, 410)
# The museum thinks that we ask too much: everybody waits, not only the one who was told.
REFUSALS = (403, 429)
# Of the client's errors, those that time alone may better.
PASSING = (408, 425)
CLIENT_ERRORS = range(400, 500)


class TransientError(Exception):
    """An answer that another attempt may better; ``wait`` is the pause asked for, in seconds."""

    def __init__(self, reason: str, wait: float = 0.0):
        super().__init__(reason)
        self.wait = wait


class ClosedError(TransientError):
    """The museum as a whole refuses, or cannot be reached: all threads wait for it together.

    ``counts`` tells whether it is one of the attempts; None, that it is the last one.
    """

    def __init__(self, reason: str, counts: bool | None = True):
        super().__init__(reason)
        self.counts = counts


class RejectedError(MuseumUnreachableError):
    """An address that no further attempt will better: ``status`` is ``rejected`` or ``bad_address``."""

    def __init__(self, reason: str, status: str):
        super().__init__(reason)
        self.status = status


class BadBodyError(TransientError):
    """The body behind an address is not what it should be; ``found`` tells what was seen in it."""

    def __init__(self, reason: str, found: object = None):
        super().__init__(reason)
        self.found = found


class TooLargeError(Exception):
    """A body is longer than the caller wants to hold in memory."""


def read_json(response: requests.Response, check: Callable[[object], None]) -> dict:
    """An answer's JSON, if ``check`` lets it pass.

    Raises:
        TransientError: It is no JSON, or not what was asked for.
    """
    try:
        answer = response.json()
    except ValueError as error:  # requests' own JSONDecodeError is one
        kind = response.headers.get("Content-Type", "no type")
        raise TransientError(f"a body of {kind} in place of JSON") from error
    check(answer)
    return answer


def holds(key: str, kind: type | UnionType) -> Callable[[object], None]:
    """A check that an answer is an object which has ``key``, and of this kind."""

    def check(answer: object) -> None:
        if not isinstance(answer, dict) or key not in answer or not isinstance(answer[key], kind):
            raise TransientError(f"the answer has no usable {key!r}")

    return check


def read_body(response: requests.Response, max_bytes: int) -> bytes:
    """The whole of a body.

    Raises:
        TooLargeError: It is longer than ``max_bytes``.
        BadBodyError: It is shorter than the museum said.
    """
    body = bytearray()
    try:
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > max_bytes:
                raise TooLargeError
    except ChunkedEncodingError as error:
        if "IncompleteRead" not in str(error):  # a connection that broke; the other is a body that is too short
            raise
        raise BadBodyError("truncated", {"status": "truncated"}) from error
    return bytes(body)


def failure(response: requests.Response) -> Exception:
    """What an answer that is none means: to be tried again, or final."""
    status = response.status_code
    if status in CLIENT_ERRORS and status not in PASSING:
        return RejectedError(f"{response.url} answers {status}.", "rejected")
    return TransientError(f"status {status}", retry_after(response))


def retry_after(response: requests.Response) -> float:
    """Seconds that ``Retry-After`` asks for; the other form of it, a date, counts as none."""
    value = response.headers.get("Retry-After", "")
    return float(value) if re.fullmatch("[0-9]{1,5}", value) else 0.0


def redirected(response: requests.Response) -> str:
    """The address that a redirect leads to; its bytes may be UTF-8, though HTTP says Latin-1.

    Raises:
        RejectedError: It is no address.
    """
    location = response.headers["Location"]
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        return urljoin(response.url, location)
    except ValueError as error:
        raise RejectedError(f"{response.url} leads to {location!r}, which is no address.", "bad_address") from error


def reason_of(error: BaseException | None) -> str:
    """The heart of an error: requests wraps urllib3's, which wraps the socket's."""
    wrapped = getattr(error.args[0], "reason", None) if error.args else None
    return str(wrapped or error) or type(error).__name__


def drain(response: requests.Response) -> None:
    """Read an answer that nobody wants, so that its connection can be used again."""
    next(response.iter_content(CHUNK), None)
