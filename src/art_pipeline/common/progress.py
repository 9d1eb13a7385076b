"""Progress of long steps, as log lines that read well in a terminal and in a file.

Each names the stage or model that it belongs to, where a run has said so by `begin_stage`.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 5.0
SECONDS_WORTH_A_LINE = 0.5

_stage: ContextVar[str] = ContextVar("stage", default="")


def begin_stage(name: str) -> None:
    """Name the stage or model that all further work of this thread belongs to; ``""`` for none."""
    _stage.set(name)


@contextmanager
def in_stage(name: str) -> Iterator[None]:
    """The same for a while."""
    token = _stage.set(name)
    try:
        yield
    finally:
        _stage.reset(token)


def stage() -> str:
    """The stage or model that is at work; ``""`` where none is named."""
    return _stage.get()


def titled(text: str) -> str:
    """A log line after the name of its stage."""
    return f"{stage()}: {text}" if stage() else text


def parameter(key: str) -> str:
    """A key of a model's block as params.yaml has it: ``svm.folds`` of the model ``small`` is ``small.svm.folds``."""
    return f"{stage()}.{key}" if stage() else key


def progress(items: Iterable[T], *, total: int, what: str, note: Callable[[], str] = str) -> Iterator[T]:
    """Pass ``items`` through, and log how many of ``total`` are done and the time left; ``note`` adds to that."""
    started = told = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - told >= SECONDS_BETWEEN_LINES and done < total:
            told = now
            log.info("%s", titled(_line(what, done, total, now - started)) + note())
    seconds = time.monotonic() - started
    if seconds >= SECONDS_WORTH_A_LINE:
        log.info("%s", titled(f"{what} {total:,}/{total:,} ({seconds:.1f} s)"))


def _line(what: str, done: int, total: int, seconds: float) -> str:
    rate = done / seconds
    left = (total - done) / rate
    return f"{what} {done:,}/{total:,} ({rate:,.1f}/s, about {duration(left)} left)"


def duration(seconds: float) -> str:
    """Seconds as a person says them, such as ``1 h 5 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
