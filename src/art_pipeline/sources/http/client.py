"""The HTTP client of museum services; what a service can be asked is in `sources.apis`.

The rate limiter (`rate_limiter.py`) applies to all connections together, and so do its pauses.
"""

import logging
import math
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
import tenacity
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError, ProxyError

from art_pipeline.errors import MuseumUnreachableError
from art_pipeline.sources.http.rate_limiter import Permit, RateLimiter
from art_pipeline.sources.http.responses import (
    MEGA,
    NOT_FOUND,
    REFUSALS,
    CircuitOpenError,
    RejectedError,
    drain,
    error_of,
    read_body,
    read_json,
    reason_of,
    retry_after,
)
from art_pipeline.sources.http.retries import FIRST_WAIT, Retries
from art_pipeline.sources.http.session import FastSession
from art_pipeline.sources.http.urls import encode_url, host_of, is_loopback, redirect_url
from art_pipeline.sources.options import ServiceOptions

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_REDIRECTS = 5
INVALID_URL = (MissingSchema, InvalidSchema, InvalidURL)
# No connection can be made, whatever is requested.
UNREACHABLE = (NewConnectionError, ConnectTimeoutError, ProxyError)


class MuseumClient:
    """Requests JSON and images from a museum's service.

    All threads share one session and one `RateLimiter`.

    Every method raises `MuseumUnreachableError` when ``options.attempts`` attempts gave no usable
    response. 5xx, timeouts, broken connections and broken bodies are retried with exponential
    back-off, or after ``Retry-After``. Refusals (403, 429), and a host that is unreachable after it
    responded before, open the circuit for all threads; for ``options.patience`` seconds, they do not
    count as attempts. 404 and 410 give None. Any other 4xx, except 408 and 425, is final:
    `RejectedError`.
    """

    def __init__(self, options: ServiceOptions):
        _warn_of_no_contact(options.base_url, options.user_agent)
        self.base_url = options.base_url
        self._options = options
        self._session = _open_session(options)
        max_rate = math.inf if options.is_sample else options.requests_per_second
        self._limiter = RateLimiter(max_rate, FIRST_WAIT, options.longest_wait)
        self._responded: dict[str, float] = {}  # host → time of its last response that was not a refusal
        self._stop = threading.Event()
        self._retries = Retries(options.attempts, options.longest_wait, self._stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all pauses, and close the connections."""
        self._stop.set()
        self._session.close()

    def note(self) -> str:
        """Return the current request rate, for a progress line."""
        return self._limiter.note()

    def summary(self) -> str:
        """Return requests, mean rate, refusals and outages, as text."""
        return self._limiter.summary()

    def image(self, url: str, read: Callable[[bytes], T], max_bytes: int) -> T | None:
        """Fetch an image, and read its body.

        Args:
            url: URL as in the record; spaces and accents are encoded here.
            read: Converts the body, or raises `BadBodyError`; then the image is requested up to four
                times, and the last such error is the cause of the `MuseumUnreachableError`.
            max_bytes: Maximum size of the body.

        Returns:
            What ``read`` returned; None if there is no such image (404).

        Raises:
            TooLargeError: The body is larger than ``max_bytes``.
        """

        def attempt() -> T | None:
            with self._get(encode_url(url)) as response:
                return None if response.status_code in NOT_FOUND else read(read_body(response, max_bytes))

        return self._retry(url, attempt)

    def is_unchanged(self, row: dict[str, Any]) -> bool:  # noqa: ARG002 - only a request could tell
        """Whether an image may be as it was, as far as is known without a request."""
        return True

    def json(self, path: str, check: Callable[[object], None], **query: object) -> dict[str, Any] | None:
        """Fetch JSON.

        Args:
            path: Path below ``options.base_url``.
            check: Raises `UnexpectedFieldError` if the JSON is not as expected; see `require_field`.
            query: Query of the URL.

        Returns:
            The JSON object; None if there is none (404).

        Raises:
            UnexpectedResponseError: The JSON is not as expected, or too large; it is not requested again.
        """
        # Part of the URL: requests drops ``params`` where it does not know the scheme.
        url = f"{self.base_url}{path}" + (f"?{urlencode(query)}" if query else "")
        max_bytes = int(self._options.max_megabytes * MEGA)

        def attempt() -> dict[str, Any] | None:
            with self._get(url) as response:
                return None if response.status_code in NOT_FOUND else read_json(response, check, max_bytes)

        return self._retry(path, attempt)

    def _get(self, url: str) -> requests.Response:
        response, permit, url = self._follow(url)
        if response.status_code in REFUSALS:
            with response:
                raise self._refused(response, permit)
        self._responded[host_of(url)] = time.monotonic()
        self._limiter.succeeded(permit)
        if response.ok and not response.is_redirect:
            return response
        drain(response)
        if response.status_code in NOT_FOUND:
            return response
        with response:
            raise error_of(response)

    def _follow(self, requested: str) -> tuple[requests.Response, Permit, str]:
        """Send a request, and follow redirects; return the last response, its permit and its URL."""
        url, permit = requested, self._acquire()
        response = self._send(url, permit)
        for _ in range(MAX_REDIRECTS):
            if not response.is_redirect:
                break
            try:
                drain(response)
                url = redirect_url(response, requested, self._options.allowed_redirect_hosts)
            except Exception:
                self._limiter.failed(permit, unreachable=False)
                raise
            # A redirect says nothing about the rate; a probe goes on alone.
            permit = permit if permit.is_probe else self._acquire()
            response = self._send(url, permit)
        return response, permit, url

    def _acquire(self) -> Permit:
        """Wait for a permit of the rate limiter."""
        while not self._stop.is_set():
            permit = self._limiter.acquire()
            if not (permit.wait and self._stop.wait(permit.wait)) and self._limiter.begin(permit):
                return permit
        raise _closed()

    def _send(self, url: str, permit: Permit) -> requests.Response:
        try:
            return self._session.fetch(url, self._options.timeout)
        except requests.RequestException as error:
            is_outage = _is_unreachable(error) and host_of(url) in self._responded
            self._limiter.failed(permit, is_outage)
            if isinstance(error, INVALID_URL):
                raise _invalid_url(url) from error
            if is_outage:
                raise CircuitOpenError(reason_of(error), self._counts(url)) from error
            raise
        except (ValueError, LocationParseError) as error:  # which requests does not wrap
            self._limiter.failed(permit, unreachable=False)
            raise _invalid_url(url) from error

    def _refused(self, response: requests.Response, permit: Permit) -> CircuitOpenError:
        self._limiter.refused(permit, retry_after(response))  # first: it pauses all connections
        with suppress(requests.RequestException):  # the error page may break off
            drain(response)
        # A single resource may be forbidden. If the probe after a pause is refused too, all are,
        # unless there is only one connection, which always probes with the same resource.
        all_are = permit.is_probe and self._options.connections > 1
        return CircuitOpenError(f"status {response.status_code}", not all_are or self._counts(response.url))

    def _counts(self, url: str) -> bool | None:
        """Whether an open circuit counts as an attempt; None when the patience is used up."""
        responded = self._responded.get(host_of(url))
        if responded is None or not self._options.patience:
            return True
        return False if time.monotonic() - responded < self._options.patience else None

    def _retry(self, what: str, attempt: Callable[[], T]) -> T:
        try:
            return self._retries.call(attempt, what)
        except tenacity.RetryError as error:
            last = error.last_attempt
            if self._stop.is_set():  # while the attempt was under way: it may not have been the last one
                raise _closed() from last.exception()
            raise MuseumUnreachableError(
                f"{self.base_url} gave no usable response for {what} in {last.attempt_number} attempts: "
                f"{reason_of(last.exception())}. Check base_url and the network, or lower requests_per_second of "
                "the source. What has arrived is kept; run again to continue."
            ) from last.exception()


@cache
def _warn_of_no_contact(base_url: str, user_agent: str) -> None:
    """Warn once for each museum that is neither the sample nor on this machine."""
    url = urlsplit(base_url)
    is_remote = url.scheme in ("http", "https") and not is_loopback(url.hostname or "")
    if is_remote and not re.search("@|://", user_agent):
        log.warning(
            "%s does not know who sends the requests: set user_agent of the source to a way to reach you, such as "
            '"my study (me@example.org)". Museums block unknown clients sooner.',
            url.hostname,
        )


def _open_session(options: ServiceOptions) -> FastSession:
    session = FastSession(options.connections, options.max_seconds)
    session.headers["User-Agent"] = options.user_agent
    if options.is_sample:
        from art_pipeline.sources.sample import SampleMuseumAdapter

        session.mount("sample://", SampleMuseumAdapter())
    return session


def _closed() -> MuseumUnreachableError:
    return MuseumUnreachableError("The client was closed.")


def _invalid_url(url: str) -> RejectedError:
    return RejectedError(f"{url!r} is not a URL.", "bad_address")


def _is_unreachable(error: requests.RequestException) -> bool:
    """Whether no connection was made; requests wraps urllib3's error, which wraps the reason."""
    return isinstance(getattr(error.args[0], "reason", None) if error.args else None, UNREACHABLE)
