"""The rate limiter, against a clock of its own: no test here waits."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.sources.http.rate_limiter import (
    CEILING,
    DECREASE,
    LATENESS,
    MIN_RATE,
    PAUSE_OF_A_BLOCK,
    REFUSALS_OF_A_BLOCK,
    REMEMBERED,
    SLACK,
    RateLimiter,
)

RATES = st.floats(0.2, 1000)
EVENTS = st.lists(st.sampled_from(["answered", "refused", "blocked", "lost", "broken"]), max_size=40)
LATE = st.floats(0, LATENESS * 0.99)
FIRST, LONGEST = 0.5, 30.0


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def make(ceiling):
    clock = Clock()
    return RateLimiter(ceiling, FIRST, LONGEST, clock), clock


def send(limiter, clock, late=0.0):
    """Wait for a permit, and use it: it, and when."""
    while True:
        permit = limiter.acquire()
        clock.now += permit.wait
        clock.now += 0 if permit.is_probe else late
        if limiter.begin(permit):
            return permit, clock.now


def tell(limiter, permit, event):
    match event:
        case "answered":
            limiter.succeeded(permit)
        case "refused" | "blocked":
            limiter.refused(permit, retry_after=PAUSE_OF_A_BLOCK if event == "blocked" else 0.0)
        case "lost" | "broken":
            limiter.failed(permit, unreachable=event == "lost")


def settle(limiter, clock):
    """Have the museum answer until the limiter asks it freely."""
    permit, _ = send(limiter, clock)
    limiter.succeeded(permit)


@settings(deadline=None)
@given(ceiling=RATES, late=st.lists(LATE, min_size=2, max_size=80), way=st.data())
def test_no_second_of_the_museum_holds_more_than_the_ceiling(ceiling, late, way):
    limiter, clock = make(ceiling)
    arrived = []
    for one in late:
        permit, at = send(limiter, clock, one)
        limiter.succeeded(permit)
        arrived.append(at + way.draw(st.floats(0, SLACK - 2 * LATENESS)))
    arrived.sort()
    most = max(sum(start <= one <= start + 1 for one in arrived) for start in arrived)
    assert most <= max(1, math.ceil(ceiling))


@given(ceiling=RATES, requests=st.integers(2, 200))
def test_the_ceiling_is_used_to_95_percent(ceiling, requests):
    limiter, clock = make(ceiling)
    times = [send(limiter, clock)[1] for _ in range(requests)]
    assert (requests - 1) / (times[-1] - times[0]) >= 0.95 * ceiling


@given(events=EVENTS, ceiling=RATES)
def test_whatever_happens_the_limiter_stays_between_the_slowest_and_the_ceiling(events, ceiling):
    limiter, clock = make(ceiling)
    for event in events:
        tell(limiter, send(limiter, clock)[0], event)
        assert min(ceiling, MIN_RATE * CEILING) <= limiter.rate() <= ceiling


@given(events=EVENTS)
def test_a_closed_museum_is_asked_one_thing_at_a_time_after_pauses_that_double(events):
    limiter, clock = make(20)
    failures = [event for event in events if event not in ("answered", "blocked")]
    pause = FIRST
    permit, _ = send(limiter, clock)
    limiter.refused(permit)
    for event in failures:
        closed = clock.now
        probe, at = send(limiter, clock)
        assert probe.is_probe
        assert at - closed == pytest.approx(pause)
        assert not limiter.begin(limiter.acquire())  # nobody else meanwhile
        tell(limiter, probe, event)
        pause = min(2 * pause, LONGEST)
    settle(limiter, clock)
    assert not send(limiter, clock)[0].is_probe


@given(threads=st.integers(2, 64), lasting=st.booleans())
def test_those_that_were_under_way_are_the_same_refusal(threads, lasting):
    limiter, clock = make(1000)
    permits = [send(limiter, clock)[0] for _ in range(threads)]
    for permit in permits:
        limiter.refused(permit, retry_after=lasting * PAUSE_OF_A_BLOCK)
    assert limiter.refusals == lasting
    for _ in range(REFUSALS_OF_A_BLOCK - 1):
        limiter.refused(send(limiter, clock)[0])
    assert limiter.refusals == 1
    settle(limiter, clock)
    assert limiter.rate() == pytest.approx(1000 * DECREASE)


def test_an_answer_from_before_a_refusal_does_not_end_the_pause():
    limiter, clock = make(20)
    early, _ = send(limiter, clock)
    refused, _ = send(limiter, clock)
    limiter.refused(refused)
    limiter.succeeded(early)
    assert limiter.acquire().wait == pytest.approx(FIRST)


def test_a_permit_from_before_a_refusal_is_void():
    limiter, clock = make(20)
    waiting = [limiter.acquire() for _ in range(3)]
    limiter.refused(send(limiter, clock)[0])
    assert not any(limiter.begin(permit) for permit in waiting)


@given(retry_after=st.floats(0, 1000))
def test_a_pause_lasts_as_long_as_the_service_asks(retry_after):
    limiter, clock = make(20)
    limiter.refused(send(limiter, clock)[0], retry_after)
    closed = clock.now
    assert send(limiter, clock)[1] - closed == pytest.approx(max(retry_after, FIRST))


def test_one_forbidden_thing_among_others_slows_nothing_down():
    limiter, clock = make(20)
    for _ in range(50):
        for _ in range(REFUSALS_OF_A_BLOCK - 1):
            limiter.refused(send(limiter, clock)[0])
        settle(limiter, clock)
    assert (limiter.refusals, limiter.rate()) == (0, 20)


@given(ceiling=RATES, times=st.integers(1, 6), quiet=st.lists(st.floats(0, REMEMBERED / 8), max_size=8))
def test_the_limiter_comes_back_and_stays_below_the_one_that_was_refused(ceiling, times, quiet):
    limiter, clock = make(ceiling)
    for _ in range(times):
        permit, _ = send(limiter, clock)
        before = limiter.rate()
        limiter.refused(permit, retry_after=PAUSE_OF_A_BLOCK)
        settle(limiter, clock)
    rates = [limiter.rate()]
    for one in quiet:
        clock.now += one
        rates.append(limiter.rate())
    assert rates == sorted(rates)
    assert rates[-1] <= max(before, MIN_RATE) * CEILING
    clock.now += 100 * REMEMBERED
    assert limiter.rate() == ceiling


@given(limit=st.integers(2, 60), ceiling=st.integers(10, 200), block=st.floats(2, 60))
@settings(deadline=None, max_examples=40)
def test_a_limit_that_is_not_known_is_found_with_few_blocks(limit, ceiling, block):
    limiter, clock = make(ceiling)
    recent, blocked_until, blocks = [], 0.0, 0
    for _ in range(600):
        permit, at = send(limiter, clock)
        recent = [one for one in recent if at - one <= 1] + [at]
        if at < blocked_until:
            limiter.refused(permit)
        elif len(recent) > limit:
            blocked_until, blocks = at + block, blocks + 1
            limiter.refused(permit)
        else:
            limiter.succeeded(permit)
    halvings = math.ceil(math.log2(max(1, ceiling / limit))) + 1
    hours = (clock.now - 1000) / REMEMBERED
    assert blocks <= 2 * halvings + 3 * hours + 2


def test_lone_refusals_do_not_keep_the_limiter_from_growing():
    limiter, clock = make(20)
    limiter.refused(send(limiter, clock)[0], retry_after=PAUSE_OF_A_BLOCK)
    settle(limiter, clock)
    for _ in range(60):
        clock.now += 1.0
        limiter.refused(send(limiter, clock)[0])
        settle(limiter, clock)
    assert limiter.rate() == pytest.approx(20 * CEILING)


def test_broken_connections_close_nothing_and_missing_ones_do():
    limiter, clock = make(20)
    limiter.failed(send(limiter, clock)[0], unreachable=False)
    assert not send(limiter, clock)[0].is_probe
    limiter.failed(send(limiter, clock)[0], unreachable=True)
    assert send(limiter, clock)[0].is_probe
    assert (limiter.outages, limiter.refusals, limiter.rate()) == (1, 0, 20)


def test_a_late_permit_is_given_back():
    limiter, clock = make(10)
    permit = limiter.acquire()
    clock.now += permit.wait + 2 * LATENESS
    assert not limiter.begin(permit)
    assert limiter.begin(limiter.acquire())


def test_a_museum_with_no_one_to_protect_is_asked_at_once():
    limiter, clock = make(math.inf)
    for _ in range(100):
        limiter.succeeded(send(limiter, clock)[0])
    assert clock.now == 1000.0
    limiter.refused(send(limiter, clock)[0], retry_after=PAUSE_OF_A_BLOCK)
    settle(limiter, clock)
    assert limiter.rate() == math.inf


def test_the_summary_counts():
    limiter, clock = make(20)
    for _ in range(10):
        limiter.succeeded(send(limiter, clock)[0])
    clock.now = 1005.0
    assert limiter.summary() == "10 requests in 5 s, 2.0/s; slowed down by 0 refusals, unreachable 0 times"
