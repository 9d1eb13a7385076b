"""Bounded parallel maps over threads.

Threads suffice: the long calls here (sockets, OpenCV, Pillow, libsvm) release the
interpreter's lock. A few items per worker are under way, so memory stays flat however
many there are.
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

# glibc's own numbers of two settings (malloc.h), and what they are set to, in bytes.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1
LARGE_BLOCK, KEPT, USUAL = 1 << 25, 1 << 28, 1 << 26


def cpu_count() -> int:
    """Number of CPUs that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_ordered(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``function(item)`` for each item, in the order of the items."""
    source = iter(items)
    with _pool(workers) as pool:
        waiting = deque(_submit(pool, function, item) for item in islice(source, 2 * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(_submit(pool, function, item) for item in islice(source, 1))


def map_as_completed(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``function(item)`` for each item, as they finish: a slow one holds up no other."""
    source, finished = iter(items), SimpleQueue()
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
    """Have a function called in the context of the caller, to which the name of the stage belongs."""
    return pool.submit(contextvars.copy_context().run, function, item)


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that, left in the middle (an error, Ctrl-C), does not wait for what is under way."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep OpenCV and BLAS to one thread each: our own threads have a core each, and sums have one order.

    Memory that is freed is kept meanwhile, to be used again. All this holds for the whole process, so that
    training and commands ask for it, and a loaded model that predicts does not.
    """
    import cv2
    from threadpoolctl import threadpool_limits

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    _keep_freed_memory(KEPT)
    try:
        with threadpool_limits(1):
            yield
    finally:
        cv2.setNumThreads(threads)
        _give_freed_memory_back()


def _keep_freed_memory(most: int) -> None:
    """Let the process keep so many bytes that it frees, to use them again.

    An image takes tens of megabytes while it is worked on. glibc gives blocks of that size back
    to the system and takes them anew, each page with a fault, and threads wait for each other
    there: a fifth of the time of SIFT on two cores. Other C libraries know no such settings.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        mallopt(M_TRIM_THRESHOLD, most)


def _give_freed_memory_back() -> None:
    """Let the system have what was kept: the next work may be of another kind."""
    _keep_freed_memory(USUAL)
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim:
        malloc_trim(0)
