"""An adaptive rate limiter for all threads, with a circuit breaker.

The request rate follows additive increase and multiplicative decrease (AIMD), as TCP's congestion control
does (Chiu and Jain, "Analysis of the increase and decrease algorithms", 1989). The circuit breaker is
closed while the service responds. A refusal, or an unreachable host, opens it: no requests are sent
for a pause. Then it is half-open: one request at a time, after pauses that double, tests whether the
service responds again (Nygard, "Release It!", 2007).
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from art_pipeline.common.progress import duration

log = logging.getLogger(__name__)

# Requests may arrive closer together than they were sent; the limit applies to arrivals. Share of each interval.
SLACK = 0.04
# Seconds by which a thread may wake up late and still send; a later one would send beside the next.
LATENESS = 0.01
DECREASE = 0.5  # factor of the rate that was refused
CEILING = 0.9  # of the refused rate: the rate grows up to it, …
REMEMBERED = 3600.0  # … for this many seconds; then the ceiling doubles in each such period
REFUSALS_OF_A_BLOCK = 3  # consecutive refusals, with a pause before each, that cannot be chance
PAUSE_OF_A_BLOCK = 5.0  # seconds of a requested pause that make a refusal a block
MAX_DOUBLINGS = 99.0
QUIET = 10.0  # seconds before the rate grows
INCREASE = 0.01  # of the maximum rate, per second
MIN_RATE = 0.1  # requests per second
POLL = 0.05  # seconds between two checks while a half-open circuit waits for its request


class State(Enum):
    """State of the circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True)
class Permit:
    """Permission to send one request, or advice to ask again.

    Attributes:
        wait: Seconds to wait before sending.
        due: When that is.
        period: How often the circuit had opened when the permit was issued; -1 if it is only advice.
        is_probe: Whether this is the one request that tests a half-open circuit.
    """

    wait: float
    due: float = 0.0
    period: int = -1
    is_probe: bool = False


class RateLimiter:
    """Permits for all threads, evenly spaced, at most ``max_rate`` per second.

    `acquire` a permit, wait, and `begin`; then report the outcome: `succeeded`, `refused` or `failed`.

    Args:
        max_rate: Requests per second that are never exceeded; ``math.inf`` for no spacing.
        first_wait: Seconds of the first pause.
        longest_wait: Seconds of the longest pause, unless the service asks for more.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self, max_rate: float, first_wait: float, longest_wait: float, clock: Callable[[], float] = time.monotonic
    ):
        self.requests = self.refusals = self.outages = 0
        self.state = State.CLOSED
        self._max_rate, self._first_wait, self._longest_wait, self._clock = max_rate, first_wait, longest_wait, clock
        self._lock = threading.Lock()
        self._began = self._next = self._grows_from = clock()
        self._base, self._refused_rate = max_rate, math.inf
        self._retry_at, self._period = 0.0, 0
        self._is_slowed, self._in_a_row, self._pause = False, 0, first_wait

    def acquire(self) -> Permit:
        """Return the next free permit, or one without a period that says when to ask again."""
        with self._lock:
            now = self._clock()
            if self.state is State.CLOSED:
                due = self._next if self._next > now - LATENESS else now
                self._next = due + self._interval(now)
                return Permit(max(0.0, due - now), max(due, now), self._period)
            if self.state is State.HALF_OPEN or now < self._retry_at:
                return Permit(POLL if self.state is State.HALF_OPEN else self._retry_at - now)
            self.state = State.HALF_OPEN
            return Permit(0.0, now, self._period, is_probe=True)

    def begin(self, permit: Permit) -> bool:
        """Whether the request may be sent now; if not, acquire another permit."""
        with self._lock:
            is_late = self._clock() > permit.due + LATENESS and not permit.is_probe
            if is_late or permit.period != self._period:
                return False
            self.requests += 1
            return True

    def succeeded(self, permit: Permit) -> None:
        """Report a response, which closes the circuit."""
        with self._lock:
            if permit.period != self._period or self.state is State.CLOSED:
                return
            now = self._clock()
            self._grows_from = now if self._is_slowed else self._grows_from
            self.state, self._next = State.CLOSED, now + self._interval(now)
            self._is_slowed, self._in_a_row, self._pause = False, 0, self._first_wait
            log.info("The service responds again; request rate at most %.1f/s.", self._rate(now))

    def refused(self, permit: Permit, retry_after: float = 0.0) -> None:
        """Report a refusal, which opens the circuit.

        The request rate decreases only when refusals last: a single resource may be forbidden.

        Args:
            permit: Permit of the request.
            retry_after: Seconds of pause that the service asks for.
        """
        with self._lock:
            if permit.period != self._period:  # sent before the circuit opened: the same refusal
                self._retry_at = max(self._retry_at, self._clock() + retry_after)
                return
            self._in_a_row += 1
            if not self._is_slowed and (self._in_a_row >= REFUSALS_OF_A_BLOCK or retry_after >= PAUSE_OF_A_BLOCK):
                self._decrease()
            self._open("refuses requests", retry_after)

    def failed(self, permit: Permit, unreachable: bool) -> None:
        """Report that no response came.

        Args:
            permit: Permit of the request.
            unreachable: Whether no connection could be made at all, which opens the circuit.
        """
        with self._lock:
            if permit.period == self._period and (unreachable or self.state is not State.CLOSED):
                self.outages += self.state is State.CLOSED
                self._open("cannot be reached", 0.0)

    def rate(self) -> float:
        """Return the current maximum of requests per second."""
        with self._lock:
            return self._rate(self._clock())

    def note(self) -> str:
        """Return the request rate for a progress line; ``""`` where it is unlimited."""
        if math.isinf(self._max_rate):
            return ""
        return f"; request rate {self.rate():.1f}/s" + (f" after {self.refusals:,} refusals" if self.refusals else "")

    def summary(self) -> str:
        """Return requests, mean rate, refusals and outages so far, as text."""
        with self._lock:
            seconds = max(self._clock() - self._began, 1e-9)
            return (
                f"{self.requests:,} requests in {duration(seconds)}, {self.requests / seconds:.1f}/s; "
                f"slowed down by {self.refusals:,} refusals, unreachable {self.outages:,} times"
            )

    def _interval(self, now: float) -> float:
        return (1 + SLACK) / self._rate(now)

    def _rate(self, now: float) -> float:
        """The rate after the last block, increased since; the refused rate is not tried again soon."""
        if math.isinf(self._refused_rate):
            return self._max_rate
        quiet = max(0.0, now - self._grows_from)
        grown = self._base + self._max_rate * INCREASE * max(0.0, quiet - QUIET)
        doublings = min(max(0.0, quiet / REMEMBERED - 1), MAX_DOUBLINGS)
        return float(min(self._max_rate, self._refused_rate * CEILING * 2**doublings, grown))

    def _decrease(self) -> None:
        """Decrease the rate, once per block: how long a block lasts does not depend on the rate."""
        self._refused_rate = max(self._rate(self._clock()), MIN_RATE)
        self._base, self._grows_from = max(self._refused_rate * DECREASE, MIN_RATE), math.inf
        self._is_slowed, self.refusals = True, self.refusals + 1
        log.warning("The service blocks requests: request rate reduced to %.1f/s.", self._base)

    def _open(self, why: str, retry_after: float) -> None:
        now, pause = self._clock(), max(retry_after, self._pause)
        log.log(
            logging.WARNING if self.state is State.CLOSED else logging.INFO,
            "The service %s: no requests for %s, then one to test whether it responds.",
            why,
            duration(pause),
        )
        self.state, self._period = State.OPEN, self._period + 1
        self._retry_at = now + pause
        self._pause = min(2 * self._pause, self._longest_wait)
