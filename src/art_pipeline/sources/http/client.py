"""The only room that speaks HTTP: a polite client of a museum's service.

What a museum can be asked is in its own file (``met.py``, ``cleveland.py``). Requests are
paced for all connections together (``pace.py``), and so are the pauses after a refusal.
"""

import logging
import math
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import requests
import tenacity
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError, ProxyError

from art_pipeline.errors import MuseumUnreachableError
from art_pipeline.sources.http.rate_limiter import Pace, Turn
from art_pipeline.sources.http.responses import (
    GONE,
    MEGA,
    REFUSALS,
    BadBodyError,
    ClosedError,
    RejectedError,
    TransientError,
    drain,
    failure,
    read_body,
    read_json,
    reason_of,
    retry_after,
)
from art_pipeline.sources.http.retries import Attempts
from art_pipeline.sources.http.session import PromptSession, too_slow
from art_pipeline.sources.http.urls import encode_address, host_of, is_loopback, redirected
from art_pipeline.sources.options import MuseumOptions

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_WAIT = 0.5
MOST_REDIRECTS = 5
COSTLY = 60.0  # seconds of a pause that are worth a warning
NO_ADDRESS = (MissingSchema, InvalidSchema, InvalidURL)
# Where no connection can be made, whatever is asked for.
OUT_OF_REACH = (NewConnectionError, ConnectTimeoutError, ProxyError)


class MuseumClient:
    """Asks a museum for answers in JSON, and for images.

    One session, and one `Pace` for all threads that use it.

    Every method raises `MuseumUnreachableError` when no usable answer came after
    ``options.attempts`` attempts. 5xx, timeouts, broken connections and broken bodies are
    tried again with exponential back-off, or when ``Retry-After`` says so. Refusals (403, 429),
    and a host that answered before and that no connection reaches now, make all threads wait
    together; for ``options.patience`` seconds, that uses up no attempts. Of a record or a
    image, 404 and 410 are an answer: None. Any other 4xx, but 408 and 425, is final:
    `RejectedError`.
    """

    def __init__(self, options: MuseumOptions):
        _warn_of_no_contact(options.base_url, options.user_agent)
        self.base_url = options.base_url
        self._options = options
        self._session = _session(options)
        self._pace = Pace(
            math.inf if options.is_sample else options.requests_per_second, FIRST_WAIT, options.longest_wait
        )
        self._heard: dict[str, float] = {}  # host -> when it last answered anything but a refusal
        self._stop = threading.Event()

    def __enter__(self) -> "MuseumClient":
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()

    def close(self) -> None:
        """End pauses at once, and close the connections."""
        self._stop.set()
        self._session.close()

    def pace(self) -> str:
        """How fast the museum is asked now, to be added to a line of progress."""
        return self._pace.note()

    def summary(self) -> str:
        """How often the museum was asked, how fast, and how often it was closed to us."""
        return self._pace.summary()

    def image(self, url: str, read: Callable[[bytes], T], max_bytes: int) -> T | None:
        """Fetch the body behind an image's address, and read it.

        Args:
            url: The address as the record gives it; spaces and accents are encoded here.
            read: Turns the body into what the caller wants, or raises `BadBodyError`;
                then the image is asked for up to four times, and the last such error is
                the cause of the `MuseumUnreachableError`.
            max_bytes: Longest body that is taken.

        Returns:
            What ``read`` returned; None when there is no such image (404).

        Raises:
            TooLargeError: The body is longer than ``max_bytes``.
        """

        def attempt() -> T | None:
            with self._get(encode_address(url)) as response:
                return None if response.status_code in GONE else read(read_body(response, max_bytes))

        return self._retrying(url, attempt)

    def is_still(self, row: dict) -> bool:  # noqa: ARG002 - nothing is known without asking
        """Whether what is known of an image may still be so."""
        return True

    def json(self, path: str, check: Callable[[object], None], **query: object) -> dict | None:
        """Fetch an answer in JSON.

        Args:
            path: What comes after ``options.base_url``.
            check: Raises `UnexpectedFieldError` where the answer is not what was asked for; see `holds`.
            query: Of the address.

        Returns:
            The answer; None when there is no such thing (404).

        Raises:
            UnexpectedAnswerError: The answer is another JSON than expected, or too long; at once.
        """
        # Written into the address: requests leaves ``params`` away where it does not know the scheme.
        url = f"{self.base_url}{path}" + (f"?{urlencode(query)}" if query else "")
        max_bytes = int(self._options.max_megabytes * MEGA)

        def attempt() -> dict | None:
            with self._get(url) as response:
                return None if response.status_code in GONE else read_json(response, check, max_bytes)

        return self._retrying(path, attempt)

    def _get(self, url: str) -> requests.Response:
        asked, turn = url, self._wait_for_turn()
        response = self._send(url, turn)
        for _ in range(MOST_REDIRECTS):
            if not response.is_redirect:
                break
            try:
                drain(response)
                url = redirected(response, asked, self._options.allowed_redirect_hosts)
            except Exception:
                self._pace.lost(turn, out_of_reach=False)
                raise
            # A redirect tells nothing of the pace; who finds out whether a block is over, goes on alone.
            turn = turn if turn.probe else self._wait_for_turn()
            response = self._send(url, turn)
        if response.status_code in REFUSALS:
            with response:
                raise self._refused(response, turn)
        self._heard[host_of(url)] = time.monotonic()
        self._pace.answered(turn)
        if response.ok and not response.is_redirect:
            return response
        drain(response)
        if response.status_code in GONE:
            return response
        with response:
            raise failure(response)

    def _wait_for_turn(self) -> Turn:
        while not self._stop.is_set():
            turn = self._pace.take()
            if not (turn.wait and self._stop.wait(turn.wait)) and self._pace.begin(turn):
                return turn
        raise MuseumUnreachableError("The client was closed.")

    def _send(self, url: str, turn: Turn) -> requests.Response:
        try:
            return self._session.fetch(url, self._options.timeout)
        except requests.RequestException as error:
            closed = _is_out_of_reach(error) and host_of(url) in self._heard
            self._pace.lost(turn, closed)
            if isinstance(error, NO_ADDRESS):
                raise _no_address(url) from error
            if closed:
                raise ClosedError(reason_of(error), self._counts(url)) from error
            raise
        except (ValueError, LocationParseError) as error:  # what requests lets through
            self._pace.lost(turn, out_of_reach=False)
            raise _no_address(url) from error

    def _refused(self, response: requests.Response, turn: Turn) -> ClosedError:
        self._pace.refused(turn, retry_after(response))  # at once: all connections wait for what is known now
        with suppress(requests.RequestException):  # the page that a guard sends may break off
            drain(response)
        # One thing may be forbidden by itself. That all are is known when the one request after a pause
        # is refused too, unless there is but one connection, and so always the same thing to ask for.
        all_are = turn.probe and self._options.connections > 1
        return ClosedError(f"status {response.status_code}", not all_are or self._counts(response.url))

    def _counts(self, url: str) -> bool | None:
        """Whether a museum that is closed to all uses up an attempt; None when our patience is at its end."""
        heard = self._heard.get(host_of(url))
        if heard is None or not self._options.patience:
            return True
        return False if time.monotonic() - heard < self._options.patience else None

    def _retrying(self, what: str, attempt: Callable[[], T]) -> T:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((TransientError, requests.RequestException)),
            wait=self._pause,
            stop=partial(self._is_enough, Attempts(self._options.attempts)),
            sleep=tenacity.sleep_using_event(self._stop),
            before_sleep=partial(_tell, what),
        )
        try:
            return retrying(attempt)
        except tenacity.RetryError as error:
            last = error.last_attempt
            raise MuseumUnreachableError(
                f"{self.base_url} gave no usable answer for {what} in {last.attempt_number} attempts: "
                f"{reason_of(last.exception())}. Check museum.base_url and the network, or ask more slowly "
                "(museum.requests_per_second). What has arrived is kept: run again to go on."
            ) from last.exception()

    def _is_enough(self, attempts: "Attempts", state: tenacity.RetryCallState) -> bool:
        return attempts.are_used_up(state.outcome.exception()) or self._stop.is_set()

    def _pause(self, state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_exponential_jitter(
            multiplier=FIRST_WAIT, max=self._options.longest_wait, jitter=FIRST_WAIT
        )
        return max(getattr(state.outcome.exception(), "wait", 0.0), backoff(state))


@cache
def _warn_of_no_contact(base_url: str, user_agent: str) -> None:
    """Once for each museum that is neither the sample nor on this machine."""
    address = urlsplit(base_url)
    far = address.scheme in ("http", "https") and not is_loopback(address.hostname or "")
    if far and not re.search("@|://", user_agent):
        log.warning(
            "%s cannot tell who asks: set museum.user_agent to a way to reach you, such as "
            '"my study (me@example.org)". Museums block strangers sooner.',
            address.hostname,
        )


def _session(options: MuseumOptions) -> PromptSession:
    session = PromptSession(options.connections, options.max_seconds)
    session.headers["User-Agent"] = options.user_agent
    if options.is_sample:
        from art_pipeline.sources.sample import SampleMuseumAdapter

        session.mount("sample://", SampleMuseumAdapter())
    return session


def _no_address(url: str) -> RejectedError:
    return RejectedError(f"{url!r} is no address.", "bad_address")


def _is_out_of_reach(error: requests.RequestException) -> bool:
    """Whether no connection was made; requests wraps urllib3's error, which wraps that."""
    return isinstance(getattr(error.args[0], "reason", None) if error.args else None, OUT_OF_REACH)


def _tell(what: str, state: tenacity.RetryCallState) -> None:
    """Log a refusal or a failure; a first one, or a bad image, is too common for a warning, unless it costs minutes."""
    error = state.outcome.exception()
    costly = too_slow(error) or state.upcoming_sleep > COSTLY
    common = not costly and (state.attempt_number == 1 or isinstance(error, BadBodyError))
    log.log(
        logging.DEBUG if common else logging.WARNING,
        "%s: %s; attempt %d in %.1f s.",
        what,
        reason_of(error),
        state.attempt_number + 1,
        state.upcoming_sleep,
    )
