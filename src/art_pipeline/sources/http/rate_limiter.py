"""How fast a museum is asked: one pace for all threads, that gives way at once and comes back with care.

Additive increase and multiplicative decrease, as TCP keeps off a crowded line (Chiu and Jain,
"Analysis of the increase and decrease algorithms", 1989). A museum that refuses, or that no
connection reaches, is left alone; then one request at a time, after pauses that double, finds
out whether that is over.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from art_pipeline.common.progress import duration

log = logging.getLogger(__name__)

# A museum counts what arrives. Requests may arrive nearer to each other than they were sent: by so many seconds.
SLACK = 0.04
# A thread that wakes up late by so many seconds may still send; one that is later would send beside the next.
LATENESS = 0.01
SLOWER = 0.5  # of the pace that was refused
BELOW = 0.9  # of it: the pace grows to so much again, and no further …
REMEMBERED = 3600.0  # … for so many seconds; after them, to twice as much in each such time
BLOCK = 3  # refusals in a row, with a pause before each, that no chance brings
LASTING = 5.0  # seconds of a pause that the museum asks for, which makes a refusal a block
MOST_DOUBLINGS = 99.0  # more than any pace has
QUIET = 10.0  # seconds before the pace grows
GROWTH = 0.01  # of the ceiling, each second
SLOWEST = 0.1  # requests a second
LOOK = 0.05  # seconds between two looks at what came of the one request that is under way


@dataclass(frozen=True)
class Turn:
    """A place in the line of requests, or the advice to ask for one again.

    Attributes:
        wait: Seconds to wait before it is used.
        due: When that is.
        period: How often the museum had been left alone when it was given; -1 where none was.
        probe: Whether this one request finds out whether the museum answers again.
    """

    wait: float
    due: float = 0.0
    period: int = -1
    probe: bool = False


class Pace:
    """Turns for all threads, at most ``ceiling`` in any second, evenly spaced.

    `take` a turn, wait, `begin`; then tell what came of it: `answered`, `refused` or `lost`.

    Args:
        ceiling: Requests a second that are never exceeded; ``math.inf`` for no spacing.
        first_wait: Seconds of the first pause.
        longest_wait: Seconds of the longest one, unless the museum asks for more.
        clock: Seconds that never go backwards.
    """

    def __init__(
        self, ceiling: float, first_wait: float, longest_wait: float, clock: Callable[[], float] = time.monotonic
    ):
        self.requests = self.refusals = self.outages = 0
        self._ceiling, self._first_wait, self._longest_wait, self._clock = ceiling, first_wait, longest_wait, clock
        self._lock = threading.Lock()
        self._began = self._next = self._grows_from = clock()
        self._base, self._refused_at = ceiling, math.inf
        self._open, self._opens_at, self._period = True, 0.0, 0
        self._slowed, self._in_a_row, self._pause = False, 0, first_wait

    def take(self) -> Turn:
        """The next turn that is free."""
        with self._lock:
            now = self._clock()
            if self._open:
                due = self._next if self._next > now - LATENESS else now
                self._next = due + self._interval(now)
                return Turn(max(0.0, due - now), max(due, now), self._period)
            if now < self._opens_at:
                return Turn(LOOK if math.isinf(self._opens_at) else self._opens_at - now)
            self._opens_at = math.inf  # until it is known what came of this one
            return Turn(0.0, now, self._period, probe=True)

    def begin(self, turn: Turn) -> bool:
        """Whether the request may be sent now; if not, another turn is to be taken."""
        with self._lock:
            late = self._clock() > turn.due + LATENESS and not turn.probe
            if late or turn.period != self._period:
                return False
            self.requests += 1
            return True

    def answered(self, turn: Turn) -> None:
        """An answer came: a museum that was left alone is open again."""
        with self._lock:
            if turn.period == self._period and not self._open:
                now = self._clock()
                self._grows_from = now if self._slowed else self._grows_from
                self._open, self._next = True, now + self._interval(now)
                self._slowed, self._in_a_row, self._pause = False, 0, self._first_wait
                log.info("The museum answers again: at most %.1f requests a second.", self._rate(now))

    def refused(self, turn: Turn, asked: float = 0.0) -> None:
        """The museum refused to answer.

        It is left alone. The pace slows down when the refusal lasts: one thing may be forbidden
        by itself.

        Args:
            turn: Of the request.
            asked: Seconds that it wants to be left alone.
        """
        with self._lock:
            if turn.period != self._period:  # sent before it was known: the same refusal
                self._opens_at = max(self._opens_at, self._clock() + asked)
                return
            self._in_a_row += 1
            if not self._slowed and (self._in_a_row >= BLOCK or asked >= LASTING):
                self._slow_down()
            self._leave_alone("refuses to answer", asked)

    def lost(self, turn: Turn, out_of_reach: bool) -> None:
        """No answer came.

        Args:
            turn: Of the request.
            out_of_reach: Whether no connection could be made at all.
        """
        with self._lock:
            if turn.period == self._period and (out_of_reach or not self._open):
                self.outages += self._open
                self._leave_alone("cannot be reached", 0.0)

    def rate(self) -> float:
        """Requests a second, now."""
        with self._lock:
            return self._rate(self._clock())

    def note(self) -> str:
        """The pace in a few words; none where there is no pace to keep."""
        if math.isinf(self._ceiling):
            return ""
        return f"; pace {self.rate():.1f}/s" + (f" after {self.refusals:,} refusals" if self.refusals else "")

    def summary(self) -> str:
        """What there was so far, in words."""
        with self._lock:
            seconds = max(self._clock() - self._began, 1e-9)
            return (
                f"{self.requests:,} requests in {duration(seconds)}, {self.requests / seconds:.1f} a second; "
                f"slowed down by {self.refusals:,} refusals, out of reach {self.outages:,} times"
            )

    def _interval(self, now: float) -> float:
        return (1 + SLACK) / self._rate(now)

    def _rate(self, now: float) -> float:
        """What the last block left, growing with the time since; not soon to what was refused."""
        if math.isinf(self._refused_at):
            return self._ceiling
        quiet = max(0.0, now - self._grows_from)
        grown = self._base + self._ceiling * GROWTH * max(0.0, quiet - QUIET)
        doublings = min(max(0.0, quiet / REMEMBERED - 1), MOST_DOUBLINGS)
        return min(self._ceiling, self._refused_at * BELOW * 2**doublings, grown)

    def _slow_down(self) -> None:
        """Once for each time that the museum refuses: how long it does is not ours to hasten."""
        self._refused_at = max(self._rate(self._clock()), SLOWEST)
        self._base, self._grows_from = max(self._refused_at * SLOWER, SLOWEST), math.inf
        self._slowed, self.refusals = True, self.refusals + 1
        log.warning("Too fast for the museum: from now on at most %.1f requests a second.", self._base)

    def _leave_alone(self, why: str, asked: float) -> None:
        now, pause = self._clock(), max(asked, self._pause)
        log.log(
            logging.WARNING if self._open else logging.INFO,
            "The museum %s: it is left alone for %s, then one request tells whether that is over.",
            why,
            duration(pause),
        )
        self._open, self._period = False, self._period + 1
        self._opens_at = now + pause
        self._pause = min(2 * self._pause, self._longest_wait)
