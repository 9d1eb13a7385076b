import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from art_pipeline.common.concurrency import cpu_count
from art_pipeline.models.shared_batches import MAX_IMAGES, SharedBatches, one_per_core


def image(value):
    return np.full((1, 1, 3), value, np.uint8)


class Slow:
    """Computes the first call until it is released, and notes the sizes of all calls."""

    def __init__(self):
        self.sizes, self.started, self.release = [], threading.Event(), threading.Event()

    def __call__(self, images):
        self.sizes.append(len(images))
        self.started.set()
        assert self.release.wait(120)
        if any(one[0, 0, 0] == 255 for one in images):
            raise ValueError("255")
        return np.array([[float(one[0, 0, 0])] for one in images])


def together(requests):
    """Return the outcomes of requests that wait while the first one is computed, and the sizes of the calls."""
    slow = Slow()
    share = SharedBatches(slow)

    def ask(values):
        try:
            return share([image(value) for value in values])[:, 0].tolist()
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(len(requests)) as pool:
        first = pool.submit(ask, requests[0])
        assert slow.started.wait(120)
        others = [pool.submit(ask, values) for values in requests[1:]]
        while len(share._waiting) < len(others):
            threading.Event().wait(0.001)
        slow.release.set()
        return [one.result() for one in (first, *others)], slow.sizes


def test_each_request_gets_its_own_rows_and_those_that_wait_share_a_call():
    requests = [[1], [2, 3], [4], [5]]
    outcomes, sizes = together(requests)
    assert outcomes == requests
    assert sizes == [1, 4]


def test_a_call_has_a_bounded_number_of_images_unless_one_request_has_more():
    requests = [[1], [2] * (MAX_IMAGES + 5), [3] * (MAX_IMAGES - 1), [4], [5]]
    outcomes, sizes = together(requests)
    assert outcomes == requests
    assert sum(sizes) == sum(map(len, requests))
    assert sorted(size for size in sizes if size > MAX_IMAGES) == [MAX_IMAGES + 5]


def test_an_error_reaches_the_requests_of_its_call_and_no_later_one():
    outcomes, _ = together([[1], [2], [255]])
    assert outcomes == [[1], "255", "255"]
    share = SharedBatches(lambda images: np.array([[1.0] for _ in images]))
    assert share([image(0)]).tolist() == [[1.0]]


@pytest.mark.parametrize("threads", [2, 16])
def test_many_threads_get_what_a_single_one_gets(threads):
    share = SharedBatches(lambda images: np.array([[float(one[0, 0, 0])] for one in images]))
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda value: share([image(value), image(value // 2)]).tolist(), range(200)))
    assert found == [[[value], [value // 2]] for value in range(200)]


def test_no_more_calls_than_cores_run_at_a_time():
    running, most, lock = 0, 0, threading.Lock()

    def probabilities(images):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.002)
        with lock:
            running -= 1
        return np.array([[float(one[0, 0, 0])] for one in images])

    limited = one_per_core(probabilities)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda value: limited([image(value)])[0, 0], range(60)))
    assert found == list(range(60))
    assert most <= cpu_count()
