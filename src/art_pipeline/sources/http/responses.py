"""What a response means: a result, or which kind of failure."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

import requests
from requests.exceptions import ChunkedEncodingError

from art_pipeline.errors import MuseumError, MuseumUnreachableError
from art_pipeline.sources.apis.json_values import UnexpectedFieldError
from art_pipeline.sources.http.session import too_slow

CHUNK = 1 << 16
NOT_FOUND = (404, 410)
# Rate limits and bans: all threads pause, not only the one that was refused.
REFUSALS = (403, 429)
# Client errors that another attempt may fix.
TEMPORARY = (408, 425)
CLIENT_ERRORS = range(400, 500)
MEGA = 1e6
MAX_RETRY_AFTER = 3600.0  # seconds
MAX_DIGITS = 20  # of a number that may be a 64-bit integer
EXCERPT = 100  # characters of a response that an error shows
NESTED = "unexpected: nesting"


class TransientError(Exception):
    """A failure that another attempt may fix; ``wait`` is the requested pause in seconds."""

    def __init__(self, reason: str, wait: float = 0.0):
        super().__init__(reason)
        self.wait = wait


class CircuitOpenError(TransientError):
    """The service refuses all requests, or is unreachable; the rate limiter pauses all threads.

    ``counts`` says whether this is one of the request's attempts; None, that it is the last one.
    """

    def __init__(self, reason: str, counts: bool | None = True):
        super().__init__(reason)
        self.counts = counts


class RejectedError(MuseumUnreachableError):
    """A URL that no further attempt can fetch.

    ``status`` is ``rejected``, ``bad_address``, or ``redirected`` to a host that is not allowed.
    """

    def __init__(self, reason: str, status: str):
        super().__init__(reason)
        self.status = status


class BadBodyError(TransientError):
    """A body is not what it should be; ``found`` is the row that describes it."""

    def __init__(self, reason: str, found: dict[str, Any] | None = None):
        super().__init__(reason)
        self.found = found


class TooLargeError(Exception):
    """A body is larger than the caller's limit."""


class UnexpectedResponseError(MuseumError):
    """A response that no further attempt can fix; ``status`` is the record's: ``unexpected: <field>``."""

    def __init__(self, reason: str, status: str):
        super().__init__(reason)
        self.status = status


def read_json(response: requests.Response, check: Callable[[object], None], max_bytes: int) -> dict[str, Any]:
    """Decode a JSON response; numbers that are not finite become null.

    Args:
        response: The response.
        check: Raises `UnexpectedFieldError` if the JSON is not as expected; see `require_field`.
        max_bytes: Maximum size.

    Raises:
        TransientError: The body is not JSON.
        UnexpectedResponseError: The JSON is not as expected, or too large.
    """
    value: Any = None
    try:
        value = _decode(read_body(response, max_bytes), response.encoding)
        check(value)
    except TooLargeError as error:
        limit = f"{max_bytes / MEGA:g} MB (max_megabytes)"
        raise UnexpectedResponseError(f"{response.url} returns more than {limit}.", "too_large") from error
    except BadBodyError as error:
        raise TransientError(str(error)) from error.__cause__
    except (ValueError, LookupError) as error:  # not JSON, or an unknown encoding
        kind = response.headers.get("Content-Type", "no type")
        raise TransientError(f"a body of {kind} instead of JSON") from error
    except RecursionError as error:
        raise UnexpectedResponseError(f"{response.url} returns JSON that is nested too deeply.", NESTED) from error
    except UnexpectedFieldError as error:
        excerpt = json.dumps(value, ensure_ascii=False)[:EXCERPT]
        raise UnexpectedResponseError(
            f"{response.url} returns JSON without a usable {error.name!r}: {excerpt}", error.status
        ) from error
    checked: dict[str, Any] = value
    return checked


def _decode(body: bytes, encoding: str | None) -> object:
    hooks: dict[str, Any] = {"parse_int": _integer, "parse_float": _float, "parse_constant": lambda _: None}
    try:
        return json.loads(body, **hooks)
    except UnicodeDecodeError:  # JSON is UTF-8, unless the server says otherwise
        return json.loads(body.decode(encoding or "utf-8"), **hooks)


def _integer(digits: str) -> int | float | None:
    return int(digits) if len(digits) <= MAX_DIGITS else _float(digits)


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def read_body(response: requests.Response, max_bytes: int) -> bytes:
    """Return the whole body, decompressed.

    Raises:
        TooLargeError: The body is larger than ``max_bytes``.
        BadBodyError: The body is shorter than its declared length.
    """
    body = bytearray()
    try:
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > max_bytes:
                raise TooLargeError
    except ChunkedEncodingError as error:
        if "IncompleteRead" not in str(error):  # a broken connection, not a short body
            raise
        raise BadBodyError("IncompleteRead: the body ends early", {"status": "truncated"}) from error
    return bytes(body)


def error_of(response: requests.Response) -> Exception:
    """Return the error that an unsuccessful response means: temporary or final."""
    status = response.status_code
    if status in CLIENT_ERRORS and status not in TEMPORARY:
        return RejectedError(f"{response.url} returns {status}.", "rejected")
    return TransientError(f"status {status}", retry_after(response))


def retry_after(response: requests.Response) -> float:
    """Return the seconds of ``Retry-After``, an hour at most; its other form, a date, counts as 0."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), MAX_RETRY_AFTER) if re.fullmatch("[0-9]{1,20}", value) else 0.0


def reason_of(error: BaseException | None) -> str:
    """Return the innermost message: requests wraps urllib3's errors, which wrap the socket's."""
    wrapped = too_slow(error) or (getattr(error.args[0], "reason", None) if error and error.args else None)
    return str(wrapped or error) or type(error).__name__


def drain(response: requests.Response) -> None:
    """Read the start of an unused response, so that its connection can be reused."""
    next(response.iter_content(CHUNK), None)
