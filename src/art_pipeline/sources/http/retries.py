"""Retries of one request: how many, and how long to wait between them."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import requests
import tenacity

from art_pipeline.sources.http.responses import BadBodyError, TransientError, reason_of
from art_pipeline.sources.http.session import too_slow

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_WAIT = 0.5  # seconds
# An error page in place of an image goes away; a file that is damaged in the museum does not.
MAX_BAD_BODIES = 4
MAX_SLOW_RESPONSES = 2
LONG_PAUSE = 60.0  # seconds that are worth a warning


class Retries:
    """Retries requests with exponential back-off and jitter, or after the seconds that an error asks for.

    Args:
        max_attempts: Attempts at one request. Those that an open circuit refuses do not count.
        max_wait: Seconds of the longest back-off.
        stop: Ends pauses and retries when it is set.
    """

    def __init__(self, max_attempts: int, max_wait: float, stop: threading.Event):
        self._max_attempts, self._stop = max_attempts, stop
        self._backoff = tenacity.wait_exponential_jitter(multiplier=FIRST_WAIT, max=max_wait, jitter=FIRST_WAIT)

    def call(self, attempt: Callable[[], T], what: str) -> T:
        """Call ``attempt`` until it returns.

        Args:
            attempt: Sends the request. `TransientError` and `requests.RequestException` are retried; other errors
                are final.
            what: Name of the request in the log.

        Raises:
            tenacity.RetryError: All attempts failed.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((TransientError, requests.RequestException)),
            wait=self._pause,
            stop=partial(self._is_last, Attempts(self._max_attempts)),
            sleep=tenacity.sleep_using_event(self._stop),
            before_sleep=partial(_log_failure, what),
        )
        return retrying(attempt)

    def _is_last(self, attempts: "Attempts", state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        return (error is not None and attempts.are_used_up(error)) or self._stop.is_set()

    def _pause(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(getattr(error, "wait", 0.0), self._backoff(state))


class Attempts:
    """Counts the failures of one request, except those of an open circuit, which concern all requests."""

    def __init__(self, maximum: int):
        self._maximum, self._failures = maximum, 0

    def are_used_up(self, error: BaseException) -> bool:
        """Count a failure, and return whether it was the last attempt."""
        counts = getattr(error, "counts", True)
        self._failures += counts is not False
        return counts is None or self._failures >= min(self._maximum, _maximum_of(error))


def _maximum_of(error: BaseException) -> float:
    if isinstance(error, BadBodyError):
        return MAX_BAD_BODIES
    return MAX_SLOW_RESPONSES if too_slow(error) else float("inf")


def _log_failure(what: str, state: tenacity.RetryCallState) -> None:
    """Log a failed attempt: as a warning, unless it is a first one or a bad image and costs less than a minute."""
    error = state.outcome.exception() if state.outcome else None
    is_costly = too_slow(error) or state.upcoming_sleep > LONG_PAUSE
    is_common = not is_costly and (state.attempt_number == 1 or isinstance(error, BadBodyError))
    log.log(
        logging.DEBUG if is_common else logging.WARNING,
        "%s: %s; attempt %d in %.1f s.",
        what,
        reason_of(error),
        state.attempt_number + 1,
        state.upcoming_sleep,
    )
