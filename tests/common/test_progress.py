import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.common import progress as module
from art_pipeline.common.progress import in_stage, parameter, progress, titled


@pytest.fixture
def talkative(monkeypatch, caplog):
    """Every item is worth a line."""
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(module, "MIN_SECONDS_FOR_A_LINE", 0.0)
    caplog.set_level(logging.INFO, module.__name__)
    return caplog


@given(items=st.lists(st.integers()), total=st.integers(0, 100))
def test_items_are_unchanged(items, total):
    assert list(progress(items, total=total, what="Things")) == items


def test_a_quick_step_logs_nothing(caplog, monkeypatch):
    monkeypatch.setattr(module, "MIN_SECONDS_FOR_A_LINE", 3600.0)
    caplog.set_level(logging.INFO, module.__name__)
    assert list(progress(range(5), total=5, what="Things")) == [0, 1, 2, 3, 4]
    assert not caplog.messages


def test_lines_tell_how_many_and_the_end(talkative):
    list(progress(range(1200), total=1200, what="Images"))
    assert len(talkative.messages) == 1200
    assert talkative.messages[0] == "Images 1/1,200"
    assert talkative.messages[1].startswith("Images 2/1,200: ")
    assert talkative.messages[-2].startswith("Images 1,199/1,200: ")
    assert talkative.messages[-2].endswith("/s, about 0 s left")
    assert talkative.messages[-1].startswith("Images 1,200/1,200: ")


def test_lines_and_parameters_name_their_stage(talkative):
    with in_stage("small"):
        list(progress(range(2), total=2, what="SIFT"))
        assert parameter("svm.folds") == "small.svm.folds"
    assert talkative.messages[0] == "SIFT 1/2 small"
    assert talkative.messages[1].startswith("SIFT 2/2 small: ")
    assert (titled("x"), parameter("svm.folds")) == ("x", "svm.folds")


def test_items_are_taken_one_at_a_time():
    source = iter(range(10))
    passed = progress(source, total=10, what="Things")
    assert next(passed) == 0
    assert next(source) == 1


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (50, 100, 10, "5.0/s, about 10 s left"),
        (1, 61, 1, "1.0/s, about 1 min 0 s left"),
        (1000, 8000, 1000, "1.0/s, about 1 h 56 min left"),
    ],
)
def test_the_time_left(done, total, seconds, line):
    assert module._time_left(done, total, seconds) == line


@given(seconds=st.floats(0, 10**6))
def test_a_duration_reads_as_the_seconds_that_it_stands_for(seconds):
    units = {"h": 3600, "min": 60, "s": 1}
    words = module.duration(seconds).split()
    told = sum(int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert abs(told - seconds) <= (60 if "h" in words else 0.5)


def test_a_note_is_added_to_each_line(talkative):
    pace = iter(range(100))
    list(progress(range(3), total=3, what="Records", note=lambda: f"; pace {next(pace)}/s"))
    assert [line.rpartition("; ")[2] for line in talkative.messages[:-1]] == ["pace 0/s", "pace 1/s"]
