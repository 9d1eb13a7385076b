"""Parallel maps over threads, with bounded memory.

Threads suffice, because the long calls (sockets, OpenCV, Pillow, libsvm) release the global interpreter lock. Only a
few items per worker are in progress, so memory does not grow with the number of items.
"""

import contextvars
import ctypes
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# glibc's constants for two settings (malloc.h), and their values, in bytes.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1
MMAP_BYTES, TRIM_BYTES, DEFAULT_TRIM_BYTES = 1 << 25, 1 << 28, 1 << 26


def cpu_count() -> int:
    """Return the number of CPUs available to this process, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_ordered(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``function(item)`` for each item, in the order of the items.

    >>> list(map_ordered(abs, [-1, -2, -3], workers=2))
    [1, 2, 3]
    """
    source = iter(items)
    with _pool(workers) as pool:
        waiting = deque(_submit(pool, function, item) for item in islice(source, 2 * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(_submit(pool, function, item) for item in islice(source, 1))


def map_as_completed(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``function(item)`` for each item, in the order of completion."""
    source, finished = iter(items), SimpleQueue[Future[R]]()
    with _pool(workers) as pool:

        def submit(number: int) -> int:
            futures = [_submit(pool, function, item) for item in islice(source, number)]
            for future in futures:
                future.add_done_callback(finished.put)
            return len(futures)

        waiting = submit(2 * workers)
        while waiting:
            future = finished.get()
            waiting += submit(1) - 1
            yield future.result()


def _submit(pool: ThreadPoolExecutor, function: Callable[[T], R], item: T) -> Future[R]:
    """Submit a call in the context of the caller, which holds the name of the stage."""
    return pool.submit(contextvars.copy_context().run, function, item)


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Return a pool that does not wait for running calls after an error or Ctrl-C."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Limit OpenCV and BLAS to one thread: our own threads use the cores, and sums have a fixed order.

    Freed memory is kept for reuse meanwhile. This changes the whole process, so only training and commands use it, not
    loaded models.
    """
    import cv2
    from threadpoolctl import threadpool_limits

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    _keep_freed_memory(TRIM_BYTES)
    try:
        with threadpool_limits(1):
            yield
    finally:
        cv2.setNumThreads(threads)
        _release_freed_memory()


def _keep_freed_memory(limit: int) -> None:
    """Let the process keep up to ``limit`` freed bytes for reuse.

    Processing an image allocates tens of megabytes. By default, glibc returns such blocks to the system and allocates
    them again, with page faults for which threads wait: a fifth of the time of SIFT on two cores. Other C libraries
    have no such settings.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)
        mallopt(M_TRIM_THRESHOLD, limit)


def _release_freed_memory() -> None:
    """Return kept memory to the system."""
    _keep_freed_memory(DEFAULT_TRIM_BYTES)
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim:
        malloc_trim(0)
