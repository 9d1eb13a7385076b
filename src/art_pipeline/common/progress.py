"""Progress of long steps, as log lines such as ``Images 200/819 download: 41.2/s, about 15 s left``."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 5.0
MIN_SECONDS_FOR_A_LINE = 0.5

_stage: ContextVar[str] = ContextVar("stage", default="")


def begin_stage(name: str) -> None:
    """Set the stage or model of the current context; ``""`` for none."""
    _stage.set(name)


@contextmanager
def in_stage(name: str) -> Iterator[None]:
    """Set the stage or model temporarily."""
    token = _stage.set(name)
    try:
        yield
    finally:
        _stage.reset(token)


def stage() -> str:
    """Return the current stage or model; ``""`` if none is set."""
    return _stage.get()


def titled(text: str) -> str:
    """Prefix a log line with the current stage."""
    return f"{stage()}: {text}" if stage() else text


def parameter(key: str) -> str:
    """Return the full key of a parameter: ``svm.folds`` of the model ``small`` is ``small.svm.folds``."""
    return f"{stage()}.{key}" if stage() else key


def progress(items: Iterable[T], *, total: int, what: str, note: Callable[[], str] = str) -> Iterator[T]:
    """Yield ``items``, and log how many of ``total`` are done, and from the second on the rate and the time left.

    Args:
        items: Any items.
        total: Number of items.
        what: Label of the line, such as ``descriptors``.
        note: Returns text to append to each line.
    """
    started = logged = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - logged >= SECONDS_BETWEEN_LINES and done < total:
            logged = now
            log.info("%s%s%s", _counter(what, done, total), _rate(done, total, now - started), note())
    seconds = time.monotonic() - started
    if seconds >= MIN_SECONDS_FOR_A_LINE:
        log.info("%s: %.1f s", _counter(what, total, total), seconds)


def _counter(what: str, done: int, total: int) -> str:
    return f"{what} {done:,}/{total:,} {stage()}".rstrip()


def _rate(done: int, total: int, seconds: float) -> str:
    """Return nothing for the first item alone, whose time includes that of the set-up, such as building a network."""
    return f": {_time_left(done, total, seconds)}" if done > 1 else ""


def _time_left(done: int, total: int, seconds: float) -> str:
    rate = done / seconds
    return f"{rate:,.1f}/s, about {duration((total - done) / rate)} left"


def duration(seconds: float) -> str:
    """Format a duration for reading.

    >>> duration(3900), duration(65), duration(4.2)
    ('1 h 5 min', '1 min 5 s', '4 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
