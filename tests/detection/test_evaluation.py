"""Measures of found paintings, by hand."""

import numpy as np
import pytest

from art_pipeline.detection.detect import Painting
from art_pipeline.detection.evaluation import Case, average_precision, baseline, best_ious, misses_and_false_alarms
from art_pipeline.detection.rooms.works import Box

A, B, C = (Box(left, 0, left + 10, 10).corners() for left in (0, 20, 40))


def found(*pairs):
    return [Painting(corners, score) for corners, score in pairs]


def test_average_precision_of_a_right_a_wrong_and_a_right_one():
    case = Case("several", np.stack([A, B]), found((A, 0.9), (C, 0.8), (B, 0.7)))
    assert average_precision([case], 0.5) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert np.isnan(average_precision([Case("empty", np.empty((0, 4, 2)), [])], 0.5))
    assert average_precision([Case("several", np.stack([A]), [])], 0.5) == 0


def test_a_painting_is_found_once():
    case = Case("several", np.stack([A]), found((A, 0.9), (A + 0.5, 0.8)))
    assert case.matches(0.5) == [0, -1]
    assert average_precision([case], 0.5) == 1


def test_the_order_of_scores_is_that_of_all_rooms():
    wrong, right = Case("a", np.stack([A]), found((C, 0.9))), Case("b", np.stack([A]), found((A, 0.5)))
    assert average_precision([wrong, right], 0.5) == pytest.approx(0.5 * 0.5)


def test_false_alarms_have_the_names_of_what_they_are():
    part, group = Box(0, 0, 5, 5).corners(), Box(0, 0, 30, 10).corners()
    half, wall = Box(0, 0, 10, 7).corners(), Box(80, 80, 90, 90).corners()
    alarms = found((part, 0.9), (group, 0.9), (half, 0.9), (C, 0.9), (wall, 0.9), (wall + 40, 0.1))
    case = Case("furnished", np.stack([A, B]), alarms, [("window", C)])
    counts = misses_and_false_alarms([case], 0.75, 0.5)
    assert counts == {
        "works": 2,
        "missed": 2,
        "false_alarms": {"group": 1, "inexact": 1, "part": 1, "wall": 1, "window": 1},
    }


def test_the_baseline_finds_a_single_work_and_nothing_on_a_plain_wall(works):
    wall = np.full((200, 300, 3), 230, np.uint8)
    assert baseline(wall) == []
    wall[50:150, 100:220] = works[0][:100, :120]
    case = Case("single", Box(100, 50, 220, 150).corners()[None], baseline(wall))
    assert best_ious([case])[0] > 0.8
    assert best_ious([Case("single", np.stack([A]), [])]).tolist() == [0]
