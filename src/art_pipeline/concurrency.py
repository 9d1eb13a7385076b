"""Bounded parallel maps over threads.

Threads suffice: the long calls here (sockets, OpenCV, Pillow, libsvm) release the
interpreter's lock. A few items per worker are under way, so memory stays flat however
many there are.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cpu_count() -> int:
    """Number of CPUs that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_ordered(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``function(item)`` for each item, in the order of the items."""
    source = iter(items)
    with _pool(workers) as pool:
        waiting = deque(pool.submit(function, item) for item in islice(source, 2 * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(source, 1))


def map_as_completed(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``function(item)`` for each item, as they finish: a slow one holds up no other."""
    source, finished = iter(items), SimpleQueue()
    with _pool(workers) as pool:

        def submit(number: int) -> int:
            futures = [pool.submit(function, item) for item in islice(source, number)]
            for future in futures:
                future.add_done_callback(finished.put)
            return len(futures)

        waiting = submit(2 * workers)
        while waiting:
            future = finished.get()
            waiting += submit(1) - 1
            yield future.result()


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that, left in the middle (an error, Ctrl-C), does not wait for what is under way."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
