"""Concurrent requests: those of a network share batches, those of other models share the cores."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.arrays import Floats
from art_pipeline.common.concurrency import cpu_count

MAX_IMAGES = 16  # of requests that are computed together

Probabilities = Callable[[Sequence[NDArray[np.uint8]]], Floats]


def one_per_core(probabilities: Probabilities) -> Probabilities:
    """Return the function for use by many threads: as many calls as there are cores run at a time.

    More would slow each other down, and need more memory.
    """
    free = threading.Semaphore(cpu_count())

    def limited(images: Sequence[NDArray[np.uint8]]) -> Floats:
        with free:
            return probabilities(images)

    return limited


@dataclass(eq=False)
class _Request:
    images: Sequence[NDArray[np.uint8]]
    outcome: list[Floats | Exception] = field(default_factory=list)


class SharedBatches:
    """Computes probabilities for one thread at a time, together with what arrived while it waited.

    A network pads a batch to a fixed size, so that four requests together take as long as one. No request waits for
    others that may arrive.

    Args:
        probabilities: From n images to (n, classes) float64.

    Examples:
        >>> share = SharedBatches(lambda images: np.array([[image.mean()] for image in images]))
        >>> share([np.full((2, 2, 3), 7, np.uint8)])
        array([[7.]])
    """

    def __init__(self, probabilities: Probabilities):
        self._probabilities = probabilities
        self._waiting: list[_Request] = []
        self._change, self._compute = threading.Lock(), threading.Lock()

    def __call__(self, images: Sequence[NDArray[np.uint8]]) -> Floats:
        """Return the (n, classes) float64 probabilities of images."""
        request = _Request(images)
        with self._change:
            self._waiting.append(request)
        while not request.outcome:
            with self._compute:
                if not request.outcome:
                    self._run(self._take())
        (outcome,) = request.outcome
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _take(self) -> list[_Request]:
        """Return the requests that have waited longest: one, or several of at most `MAX_IMAGES` images."""
        with self._change:
            images = np.cumsum([len(request.images) for request in self._waiting])
            count = max(1, int(np.searchsorted(images, MAX_IMAGES, side="right")))
            taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _run(self, requests: Sequence[_Request]) -> None:
        try:
            found = self._probabilities([image for request in requests for image in request.images])
        except Exception as error:  # each request raises it
            for request in requests:
                request.outcome.append(error)
            return
        ends = np.cumsum([len(request.images) for request in requests])
        for request, part in zip(requests, np.split(found, ends[:-1]), strict=True):
            request.outcome.append(part)
