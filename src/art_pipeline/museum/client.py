"""The only room that speaks HTTP: a polite client of a museum's service.

What a museum can be asked is in its own file (``met.py``, ``cleveland.py``). Requests are
spaced evenly, and a refusal pauses all connections, not only the one that met it.
"""

import logging
import math
import re
import threading
import time
from collections.abc import Callable
from functools import partial
from types import UnionType
from typing import TypeVar
from urllib.parse import urlencode

import requests
import tenacity
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, InvalidSchema, InvalidURL, MissingSchema
from requests.utils import requote_uri
from urllib3.exceptions import LocationParseError

from art_pipeline.errors import MuseumUnreachableError
from art_pipeline.museum.options import MuseumOptions

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_WAIT = 0.5
CHUNK = 1 << 16
MILLISECONDS = 1000
LOOKS_PER_INTERVAL = 10
# A guard's page in place of a picture goes away; a file that is broken in the museum stays so.
ATTEMPTS_AT_A_BAD_BODY = 4


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


class RefusedError(TransientError):
    """One of the refusals."""


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


class MuseumClient:
    """Asks a museum for answers in JSON, and for pictures.

    One session, one pace and one pause for all threads that use it.

    Every method raises `MuseumUnreachableError` when no usable answer came after
    ``options.attempts`` attempts. Refusals (403, 429) pause every connection; they, 5xx,
    timeouts, broken connections and broken bodies are tried again with exponential
    back-off, or when ``Retry-After`` says so. Of a record or a picture, 404 and 410 are an
    answer: None. Any other 4xx, but 408 and 425, is final: `RejectedError`.
    """

    def __init__(self, options: MuseumOptions):
        self.base_url = options.base_url
        self._options = options
        self._session = _session(options)
        self._limiter = _limiter(options)
        self._stop = threading.Event()
        self._open_from = 0.0

    def __enter__(self) -> "MuseumClient":
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()

    def close(self) -> None:
        """End pauses at once, and close the connections."""
        self._stop.set()
        self._session.close()
        if self._limiter is not None:
            self._limiter.close()

    def picture(self, url: str, read: Callable[[bytes], T], max_bytes: int) -> T | None:
        """Fetch the body behind a picture's address, and read it.

        Args:
            url: The address as the record gives it; spaces and accents are encoded here.
            read: Turns the body into what the caller wants, or raises `BadBodyError`;
                then the picture is asked for up to four times, and the last such error is
                the cause of the `MuseumUnreachableError`.
            max_bytes: Longest body that is taken.

        Returns:
            What ``read`` returned; None when there is no such picture (404).

        Raises:
            TooLargeError: The body is longer than ``max_bytes``.
        """

        def attempt() -> T | None:
            with self._get(encode_address(url)) as response:
                return None if response.status_code in GONE else read(_body(response, max_bytes))

        return self._retrying(url, attempt)

    def is_still(self, row: dict) -> bool:  # noqa: ARG002 - nothing is known without asking
        """Whether what is known of a picture may still be so."""
        return True

    def json(self, path: str, check: Callable[[object], None], **query: object) -> dict | None:
        """Fetch an answer in JSON.

        Args:
            path: What comes after ``options.base_url``.
            check: Raises `TransientError` where the answer is not what was asked for; see `holds`.
            query: Of the address.

        Returns:
            The answer; None when there is no such thing (404).
        """
        # Written into the address: requests leaves ``params`` away where it does not know the scheme.
        url = f"{self.base_url}{path}" + (f"?{urlencode(query)}" if query else "")

        def attempt() -> dict | None:
            with self._get(url) as response:
                return None if response.status_code in GONE else _read_json(response, check)

        return self._retrying(path, attempt)

    def _get(self, url: str) -> requests.Response:
        self._wait_for_turn()
        try:
            response = self._session.get(url, timeout=self._options.timeout, stream=True)
        except (MissingSchema, InvalidSchema, InvalidURL, LocationParseError) as error:
            raise RejectedError(f"{url!r} is no address.", "bad_address") from error
        if response.ok:
            return response
        next(response.iter_content(CHUNK), None)  # read, so that the connection can be used again
        if response.status_code in GONE:
            return response
        with response:
            raise _failure(response)

    def _wait_for_turn(self) -> None:
        """Wait for the end of a pause and for the pace; both may change while waiting."""
        while not self._stop.is_set():
            pause = self._open_from - time.monotonic()
            if pause > 0:
                self._stop.wait(pause)
            elif self._limiter is None or self._limiter.try_acquire("museum", blocking=False):
                return
            else:
                self._stop.wait(_interval(self._options) / MILLISECONDS / LOOKS_PER_INTERVAL)
        raise MuseumUnreachableError("The client was closed.")

    def _retrying(self, what: str, attempt: Callable[[], T]) -> T:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((TransientError, requests.RequestException)),
            wait=self._pause,
            stop=self._is_enough,
            sleep=tenacity.sleep_using_event(self._stop),
            before_sleep=partial(_tell, what),
        )
        try:
            return retrying(attempt)
        except tenacity.RetryError as error:
            last = error.last_attempt
            raise MuseumUnreachableError(
                f"{self.base_url} gave no usable answer for {what} in {last.attempt_number} attempts: "
                f"{_reason(last.exception())}. Check museum.base_url and the network, or ask more slowly "
                "(museum.requests_per_second). What has arrived is kept: run again to go on."
            ) from last.exception()

    def _is_enough(self, state: tenacity.RetryCallState) -> bool:
        bad_body = isinstance(state.outcome.exception(), BadBodyError)
        most = min(ATTEMPTS_AT_A_BAD_BODY, self._options.attempts) if bad_body else self._options.attempts
        return self._stop.is_set() or state.attempt_number >= most

    def _pause(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception()
        asked = getattr(error, "wait", 0.0)
        backoff = tenacity.wait_exponential_jitter(
            multiplier=FIRST_WAIT, max=self._options.longest_wait, jitter=FIRST_WAIT
        )
        pause = max(asked, backoff(state))
        if isinstance(error, RefusedError):
            self._open_from = max(self._open_from, time.monotonic() + pause)
        return pause


def encode_address(url: str) -> str:
    """Percent-encode what an address may not hold (spaces, accents, ``#``), once only."""
    return requote_uri(url.replace("#", "%23"))


def _session(options: MuseumOptions) -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = options.user_agent
    session.mount("https://", HTTPAdapter(pool_maxsize=options.connections))
    session.mount("http://", HTTPAdapter(pool_maxsize=options.connections))
    if options.is_sample:
        from art_pipeline.museum.sample import SampleMuseumAdapter

        session.mount("sample://", SampleMuseumAdapter())
    return session


def _limiter(options: MuseumOptions) -> Limiter | None:
    """One request per interval: even spacing, no bursts. The sample has no one to protect."""
    if options.is_sample:
        return None
    return Limiter(InMemoryBucket([Rate(1, _interval(options))]))


def _interval(options: MuseumOptions) -> int:
    """Milliseconds between two requests, rounded so that the pace is never exceeded."""
    return math.ceil(MILLISECONDS / options.requests_per_second)


def _read_json(response: requests.Response, check: Callable[[object], None]) -> dict:
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


def _body(response: requests.Response, max_bytes: int) -> bytes:
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


def _failure(response: requests.Response) -> Exception:
    status = response.status_code
    if status in CLIENT_ERRORS and status not in (*REFUSALS, *PASSING):
        return RejectedError(f"{response.url} answers {status}.", "rejected")
    kind = RefusedError if status in REFUSALS else TransientError
    return kind(f"status {status}", _retry_after(response))


def _retry_after(response: requests.Response) -> float:
    """Seconds that ``Retry-After`` asks for; the other form of it, a date, counts as none."""
    value = response.headers.get("Retry-After", "")
    return float(value) if re.fullmatch("[0-9]{1,5}", value) else 0.0


def _reason(error: BaseException | None) -> str:
    """The heart of an error: requests wraps urllib3's, which wraps the socket's."""
    wrapped = getattr(error.args[0], "reason", None) if error.args else None
    return str(wrapped or error) or type(error).__name__


def _tell(what: str, state: tenacity.RetryCallState) -> None:
    """Log a refusal or a failure; a first one, or a bad picture, is too common to bother a person with."""
    error = state.outcome.exception()
    common = state.attempt_number == 1 or isinstance(error, BadBodyError)
    log.log(
        logging.DEBUG if common else logging.WARNING,
        "%s: %s; attempt %d in %.1f s.",
        what,
        _reason(error),
        state.attempt_number + 1,
        state.upcoming_sleep,
    )
