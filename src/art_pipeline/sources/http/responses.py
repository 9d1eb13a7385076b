"""What comes back from a museum, and what it means: an answer, or which kind of failure."""

import json
import math
import re
from collections.abc import Callable
from types import UnionType

import requests
from requests.exceptions import ChunkedEncodingError

from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.sources.apis.json_values import UnexpectedFieldError
from art_pipeline.sources.http.session import too_slow

CHUNK = 1 << 16
GONE = (404, 410)
# The museum thinks that we ask too much: everybody waits, not only the one who was told.
REFUSALS = (403, 429)
# Of the client's errors, those that time alone may better.
PASSING = (408, 425)
CLIENT_ERRORS = range(400, 500)
MEGA = 1e6
LONGEST_ASKED = 3600.0  # seconds that a museum may want to be left alone at a time
MOST_DIGITS = 20  # of a number that may be an int of 64 bits
EXCERPT = 100  # characters of an answer that an error shows
NESTED = "unexpected: nesting"


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
    """An address that no further attempt will better.

    ``status`` is ``rejected``, ``bad_address``, or ``redirected`` to a host that is not allowed.
    """

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


class UnexpectedAnswerError(MuseumError):
    """An answer that no further attempt will better; ``status`` is that of a record: ``unexpected: <field>``."""

    def __init__(self, reason: str, status: str):
        super().__init__(reason)
        self.status = status


def read_json(response: requests.Response, check: Callable[[object], None], max_bytes: int) -> dict:
    """Decode an answer's JSON.

    Numbers that are not finite become null.

    Args:
        response: The answer.
        check: Raises `UnexpectedFieldError` where the answer is not what was asked for; see `holds`.
        max_bytes: Longest answer that is taken.

    Raises:
        TransientError: It is no JSON.
        UnexpectedAnswerError: It is another JSON than expected, or too long.
    """
    try:
        answer = _decode(read_body(response, max_bytes), response.encoding)
        check(answer)
    except TooLargeError as error:
        limit = f"{max_bytes / MEGA:g} MB (museum.max_megabytes)"
        raise UnexpectedAnswerError(f"{response.url} answers with more than {limit}.", "too_large") from error
    except BadBodyError as error:
        raise TransientError(str(error)) from error.__cause__
    except (ValueError, LookupError) as error:  # no JSON; an encoding of no known name
        kind = response.headers.get("Content-Type", "no type")
        raise TransientError(f"a body of {kind} in place of JSON") from error
    except RecursionError as error:
        raise UnexpectedAnswerError(f"{response.url} answers JSON that is nested too deeply.", NESTED) from error
    except UnexpectedFieldError as error:
        begin = json.dumps(answer, ensure_ascii=False)[:EXCERPT]
        raise UnexpectedAnswerError(
            f"{response.url} answers JSON without a usable {error.name!r}: {begin}", error.status
        ) from error
    return answer


def _decode(body: bytes, encoding: str | None) -> object:
    hooks = {"parse_int": _integer, "parse_float": _float, "parse_constant": lambda _: None}
    try:
        return json.loads(body, **hooks)
    except UnicodeDecodeError:  # JSON is UTF-8, unless its server says otherwise
        return json.loads(body.decode(encoding or "utf-8"), **hooks)


def _integer(digits: str) -> int | float | None:
    return int(digits) if len(digits) <= MOST_DIGITS else _float(digits)


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def holds(key: str, kind: type | UnionType) -> Callable[[object], None]:
    """A check that an answer is an object which has ``key``, and of this kind; a bool is no int."""

    def check(answer: object) -> None:
        value = answer.get(key, check) if isinstance(answer, dict) else check
        if not isinstance(value, kind) or isinstance(value, bool):
            raise UnexpectedFieldError(key)

    return check


def read_body(response: requests.Response, max_bytes: int) -> bytes:
    """The whole of a body, unpacked where it is compressed.

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
        raise BadBodyError("IncompleteRead: the body ends early", {"status": "truncated"}) from error
    return bytes(body)


def failure(response: requests.Response) -> Exception:
    """What an answer that is none means: to be tried again, or final."""
    status = response.status_code
    if status in CLIENT_ERRORS and status not in PASSING:
        return RejectedError(f"{response.url} answers {status}.", "rejected")
    return TransientError(f"status {status}", retry_after(response))


def retry_after(response: requests.Response) -> float:
    """Seconds that ``Retry-After`` asks for, an hour at most; the other form of it, a date, counts as none."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), LONGEST_ASKED) if re.fullmatch("[0-9]{1,20}", value) else 0.0


def reason_of(error: BaseException | None) -> str:
    """The heart of an error: requests wraps urllib3's, which wraps the socket's."""
    wrapped = too_slow(error) or (getattr(error.args[0], "reason", None) if error.args else None)
    return str(wrapped or error) or type(error).__name__


def drain(response: requests.Response) -> None:
    """Read an answer that nobody wants, so that its connection can be used again."""
    next(response.iter_content(CHUNK), None)
