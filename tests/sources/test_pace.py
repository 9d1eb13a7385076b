"""The pace, against a clock of its own: no test here waits."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.sources.http.rate_limiter import (
    BELOW,
    BLOCK,
    LASTING,
    LATENESS,
    REMEMBERED,
    SLACK,
    SLOWER,
    SLOWEST,
    Pace,
)

CEILINGS = st.floats(0.2, 1000)
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
    return Pace(ceiling, FIRST, LONGEST, clock), clock


def send(pace, clock, late=0.0):
    """Wait for a turn, and use it: it, and when."""
    while True:
        turn = pace.take()
        clock.now += turn.wait
        clock.now += 0 if turn.probe else late
        if pace.begin(turn):
            return turn, clock.now


def tell(pace, turn, event):
    match event:
        case "answered":
            pace.answered(turn)
        case "refused" | "blocked":
            pace.refused(turn, asked=LASTING if event == "blocked" else 0.0)
        case "lost" | "broken":
            pace.lost(turn, out_of_reach=event == "lost")


def settle(pace, clock):
    """Have the museum answer until the pace asks it freely."""
    turn, _ = send(pace, clock)
    pace.answered(turn)


@settings(deadline=None)
@given(ceiling=CEILINGS, late=st.lists(LATE, min_size=2, max_size=80), way=st.data())
def test_no_second_of_the_museum_holds_more_than_the_ceiling(ceiling, late, way):
    pace, clock = make(ceiling)
    arrived = []
    for one in late:
        turn, at = send(pace, clock, one)
        pace.answered(turn)
        arrived.append(at + way.draw(st.floats(0, SLACK - 2 * LATENESS)))
    arrived.sort()
    most = max(sum(start <= one <= start + 1 for one in arrived) for start in arrived)
    assert most <= max(1, math.ceil(ceiling))


@given(ceiling=CEILINGS, requests=st.integers(2, 200))
def test_the_ceiling_is_used_to_95_percent(ceiling, requests):
    pace, clock = make(ceiling)
    times = [send(pace, clock)[1] for _ in range(requests)]
    assert (requests - 1) / (times[-1] - times[0]) >= 0.95 * ceiling


@given(events=EVENTS, ceiling=CEILINGS)
def test_whatever_happens_the_pace_stays_between_the_slowest_and_the_ceiling(events, ceiling):
    pace, clock = make(ceiling)
    for event in events:
        tell(pace, send(pace, clock)[0], event)
        assert min(ceiling, SLOWEST * BELOW) <= pace.rate() <= ceiling


@given(events=EVENTS)
def test_a_closed_museum_is_asked_one_thing_at_a_time_after_pauses_that_double(events):
    pace, clock = make(20)
    failures = [event for event in events if event not in ("answered", "blocked")]
    pause = FIRST
    turn, _ = send(pace, clock)
    pace.refused(turn)
    for event in failures:
        closed = clock.now
        probe, at = send(pace, clock)
        assert probe.probe
        assert at - closed == pytest.approx(pause)
        assert not pace.begin(pace.take())  # nobody else meanwhile
        tell(pace, probe, event)
        pause = min(2 * pause, LONGEST)
    settle(pace, clock)
    assert not send(pace, clock)[0].probe


@given(threads=st.integers(2, 64), lasting=st.booleans())
def test_those_that_were_under_way_are_the_same_refusal(threads, lasting):
    pace, clock = make(1000)
    turns = [send(pace, clock)[0] for _ in range(threads)]
    for turn in turns:
        pace.refused(turn, asked=lasting * LASTING)
    assert pace.refusals == lasting
    for _ in range(BLOCK - 1):
        pace.refused(send(pace, clock)[0])
    assert pace.refusals == 1
    settle(pace, clock)
    assert pace.rate() == pytest.approx(1000 * SLOWER)


def test_an_answer_from_before_a_refusal_does_not_end_the_pause():
    pace, clock = make(20)
    early, _ = send(pace, clock)
    refused, _ = send(pace, clock)
    pace.refused(refused)
    pace.answered(early)
    assert pace.take().wait == pytest.approx(FIRST)


def test_a_turn_from_before_a_refusal_is_void():
    pace, clock = make(20)
    waiting = [pace.take() for _ in range(3)]
    pace.refused(send(pace, clock)[0])
    assert not any(pace.begin(turn) for turn in waiting)


@given(asked=st.floats(0, 1000))
def test_the_museum_is_left_alone_as_long_as_it_asks(asked):
    pace, clock = make(20)
    pace.refused(send(pace, clock)[0], asked)
    closed = clock.now
    assert send(pace, clock)[1] - closed == pytest.approx(max(asked, FIRST))


def test_one_forbidden_thing_among_others_slows_nothing_down():
    pace, clock = make(20)
    for _ in range(50):
        for _ in range(BLOCK - 1):
            pace.refused(send(pace, clock)[0])
        settle(pace, clock)
    assert (pace.refusals, pace.rate()) == (0, 20)


@given(ceiling=CEILINGS, times=st.integers(1, 6), quiet=st.lists(st.floats(0, REMEMBERED / 8), max_size=8))
def test_the_pace_comes_back_and_stays_below_the_one_that_was_refused(ceiling, times, quiet):
    pace, clock = make(ceiling)
    for _ in range(times):
        turn, _ = send(pace, clock)
        before = pace.rate()
        pace.refused(turn, asked=LASTING)
        settle(pace, clock)
    rates = [pace.rate()]
    for one in quiet:
        clock.now += one
        rates.append(pace.rate())
    assert rates == sorted(rates)
    assert rates[-1] <= max(before, SLOWEST) * BELOW
    clock.now += 100 * REMEMBERED
    assert pace.rate() == ceiling


@given(limit=st.integers(2, 60), ceiling=st.integers(10, 200), block=st.floats(2, 60))
@settings(deadline=None, max_examples=20)
def test_a_limit_that_is_not_known_is_found_with_few_blocks(limit, ceiling, block):
    pace, clock = make(ceiling)
    recent, blocked_until, blocks = [], 0.0, 0
    for _ in range(600):
        turn, at = send(pace, clock)
        recent = [one for one in recent if at - one <= 1] + [at]
        if at < blocked_until:
            pace.refused(turn)
        elif len(recent) > limit:
            blocked_until, blocks = at + block, blocks + 1
            pace.refused(turn)
        else:
            pace.answered(turn)
    halvings = math.ceil(math.log2(max(1, ceiling / limit))) + 1
    hours = (clock.now - 1000) / REMEMBERED
    assert blocks <= 2 * halvings + 3 * hours + 2


def test_lone_refusals_do_not_keep_the_pace_from_growing():
    pace, clock = make(20)
    pace.refused(send(pace, clock)[0], asked=LASTING)
    settle(pace, clock)
    for _ in range(60):
        clock.now += 1.0
        pace.refused(send(pace, clock)[0])
        settle(pace, clock)
    assert pace.rate() == pytest.approx(20 * BELOW)


def test_broken_connections_close_nothing_and_missing_ones_do():
    pace, clock = make(20)
    pace.lost(send(pace, clock)[0], out_of_reach=False)
    assert not send(pace, clock)[0].probe
    pace.lost(send(pace, clock)[0], out_of_reach=True)
    assert send(pace, clock)[0].probe
    assert (pace.outages, pace.refusals, pace.rate()) == (1, 0, 20)


def test_a_late_turn_is_given_back():
    pace, clock = make(10)
    turn = pace.take()
    clock.now += turn.wait + 2 * LATENESS
    assert not pace.begin(turn)
    assert pace.begin(pace.take())


def test_a_museum_with_no_one_to_protect_is_asked_at_once():
    pace, clock = make(math.inf)
    for _ in range(100):
        pace.answered(send(pace, clock)[0])
    assert clock.now == 1000.0
    pace.refused(send(pace, clock)[0], asked=LASTING)
    settle(pace, clock)
    assert pace.rate() == math.inf


def test_the_summary_counts():
    pace, clock = make(20)
    for _ in range(10):
        pace.answered(send(pace, clock)[0])
    clock.now = 1005.0
    assert pace.summary() == "10 requests in 5 s, 2.0 a second; slowed down by 0 refusals, out of reach 0 times"
