"""Progress of long steps, as log lines that read well in a terminal and in a file."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 5.0
SECONDS_WORTH_A_LINE = 0.5


def progress(items: Iterable[T], *, total: int, what: str, note: Callable[[], str] = str) -> Iterator[T]:
    """Pass ``items`` through, and log how many of ``total`` are done and the time left; ``note`` adds to that."""
    started = told = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - told >= SECONDS_BETWEEN_LINES and done < total:
            told = now
            log.info("%s", _line(what, done, total, now - started) + note())
    seconds = time.monotonic() - started
    if seconds >= SECONDS_WORTH_A_LINE:
        log.info("%s: %s in %.1f s", what, f"{total:,}", seconds)


def _line(what: str, done: int, total: int, seconds: float) -> str:
    rate = done / seconds
    left = (total - done) / rate
    return f"{what}: {done:,} of {total:,} ({rate:,.1f}/s, about {duration(left)} left)"


def duration(seconds: float) -> str:
    """Seconds as a person says them, such as ``1 h 5 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
