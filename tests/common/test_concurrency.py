import os
import threading
from itertools import count, islice

import cv2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from art_pipeline.common.concurrency import cpu_count, map_as_completed, map_ordered, one_thread_each
from art_pipeline.common.progress import in_stage, stage

BOTH = pytest.mark.parametrize("map_", [map_ordered, map_as_completed])
MANY = settings(max_examples=20, deadline=None)
ITEMS = st.lists(st.integers(), max_size=40)
WORKERS = st.integers(1, 6)


@MANY
@given(items=ITEMS, workers=WORKERS)
def test_an_ordered_map_is_a_map(items, workers):
    assert list(map_ordered(str, items, workers)) == list(map(str, items))


@MANY
@given(items=ITEMS, workers=WORKERS)
def test_a_map_as_completed_loses_and_doubles_nothing(items, workers):
    assert sorted(map_as_completed(str, items, workers)) == sorted(map(str, items))


@MANY
@given(n=st.integers(0, 30), workers=WORKERS, map_=st.sampled_from([map_ordered, map_as_completed]))
def test_what_is_under_way_is_bounded(n, workers, map_):
    drawn = []
    source = (drawn.append(one) or one for one in range(n))
    most = 2 * workers if map_ is map_ordered else 4 * workers  # results that wait to be taken count too
    for taken, _ in enumerate(map_(str, source, workers)):
        assert len(drawn) - taken <= most
    assert len(drawn) == n


@BOTH
def test_an_endless_source_is_no_burden(map_):
    assert len(list(islice(map_(str, count(), 3), 50))) == 50


@BOTH
def test_every_worker_is_used_and_no_more(map_):
    together, lock, now, most = threading.Barrier(3, timeout=60), threading.Lock(), [0], [0]

    def meet(item):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        together.wait()
        with lock:
            now[0] -= 1
        return item

    assert sorted(map_(meet, range(12), 3)) == list(range(12))
    assert most[0] <= 3


def test_a_slow_item_holds_up_no_other():
    rest_is_done = threading.Event()

    def wait_if_first(item):
        return item if item else rest_is_done.wait(60) and item

    taken = []
    for item in map_as_completed(wait_if_first, range(20), 2):
        taken.append(item)
        if len(taken) == 19:
            rest_is_done.set()
    assert taken[-1] == 0
    assert sorted(taken) == list(range(20))


@BOTH
def test_an_error_is_raised_and_no_item_is_started_after_it(map_):
    begun = []

    def fail_at_three(item):
        begun.append(item)
        if item == 3:
            raise KeyError(item)
        return item

    with pytest.raises(KeyError, match="3"):
        list(map_(fail_at_three, range(1000), 2))
    assert len(begun) <= 20


@BOTH
def test_leaving_in_the_middle_waits_for_nobody(map_):
    end, begun = threading.Event(), []

    def wait_unless_first(item):
        begun.append(item)
        return item if item == 0 else end.wait(60)

    answers = map_(wait_unless_first, range(100), 2)
    assert next(answers) == 0
    answers.close()  # would wait ten seconds and find nobody to end them
    at_close = len(begun)
    assert not end.is_set()
    end.set()
    assert at_close <= 4


def test_cpus_are_those_that_the_process_may_use():
    if not hasattr(os, "sched_getaffinity"):
        assert cpu_count() == os.cpu_count()
        return
    allowed = os.sched_getaffinity(0)
    assert cpu_count() == len(allowed)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cpu_count() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@BOTH
def test_the_stage_is_known_in_every_thread(map_):
    with in_stage("small"):
        assert set(map_(lambda _: stage(), range(9), 3)) == {"small"}


def threads_now():
    return cv2.getNumThreads(), [pool["num_threads"] for pool in threadpool_info()]


def test_libraries_have_one_thread_meanwhile_and_then_as_many_as_before():
    cv2.setNumThreads(2)
    before = threads_now()
    with pytest.raises(KeyError), one_thread_each():
        with one_thread_each():
            pass
        assert cv2.getNumThreads() == 1
        assert set(threads_now()[1]) == {1}
        raise KeyError
    assert threads_now() == before
