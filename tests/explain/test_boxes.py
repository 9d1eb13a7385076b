"""Boxes of maps, and their measures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from art_pipeline.explain.boxes import (
    WHOLE,
    average_precision,
    best_overlaps,
    box_accuracy,
    boxes_of,
    centre_box,
    centre_prior,
    grow_boxes,
    overlaps,
    right_boxes,
)

LEFT, RIGHT = np.array([[0.0, 0.0, 0.5, 1.0]]), np.array([[0.5, 0.0, 1.0, 1.0]])
maps = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(-1, 1, width=32)
)


@given(maps, st.floats(0, 1))
def test_boxes_hold_all_that_is_above_the_threshold(values, threshold):
    boxes, scores = boxes_of(values, threshold)
    assert np.all((boxes >= 0) & (boxes <= 1))
    assert list(scores) == sorted(scores, reverse=True)
    if values.max() <= 0:
        assert not len(boxes)
        return
    assert scores[0] == values.max()
    rows, columns = np.nonzero((values >= threshold * values.max()) & (values > 0))
    x, y = (columns + 0.5) / values.shape[1], (rows + 0.5) / values.shape[0]
    inside = (boxes[:, None, 0] < x) & (x < boxes[:, None, 2]) & (boxes[:, None, 1] < y) & (y < boxes[:, None, 3])
    assert inside.any(axis=0).all()


def test_each_region_is_a_box():
    values = np.zeros((10, 10), np.float32)
    values[:2, :4], values[6:, 8:] = 0.6, 1
    boxes, scores = boxes_of(values, 0.5)
    np.testing.assert_allclose(boxes, [[0.8, 0.6, 1, 1], [0, 0, 0.4, 0.2]])
    np.testing.assert_allclose(scores, [1, 0.6], rtol=1e-6)
    assert len(boxes_of(values, 0.5, min_share=0.081)[0]) == 0
    np.testing.assert_allclose(boxes_of(values, 0.9, grow=(0.5, 0.25, 2))[0], [[0.7, 0.5, 1, 1]])


def test_a_centre_box_is_the_prior_above_a_threshold():
    (box,), _ = boxes_of(centre_prior((40, 20)), 0.5)
    np.testing.assert_allclose(box, centre_box(0.5)[0], atol=0.06)


def test_overlaps():
    np.testing.assert_allclose(overlaps(np.concatenate([LEFT, RIGHT]), WHOLE), [[0.5], [0.5]])
    assert overlaps(LEFT, RIGHT)[0, 0] == 0
    assert overlaps(np.zeros((1, 4)), np.zeros((1, 4)))[0, 0] == 0
    np.testing.assert_allclose(grow_boxes(centre_box(0.5), (1, 1, 1)), WHOLE)


def test_the_best_box_of_an_image_counts():
    best = best_overlaps([np.concatenate([LEFT, RIGHT]), WHOLE, np.empty((0, 4))], [LEFT, RIGHT, LEFT])
    np.testing.assert_allclose(best, [1, 0.5, 0])
    assert [box_accuracy(best, one) for one in (0.3, 0.5, 0.7)] == pytest.approx([2 / 3, 2 / 3, 1 / 3])


def test_a_true_box_is_found_once_by_the_box_of_the_highest_score():
    found = np.concatenate([LEFT, LEFT, RIGHT])
    right = right_boxes(found, np.array([0.1, 0.9, 0.5]), np.concatenate([LEFT, RIGHT]), 0.5)
    assert right.tolist() == [False, True, True]


def test_average_precision_computed_by_hand():
    # By score: right 0.9, wrong 0.8 (the same person again), right 0.5; three people. (1 + 2/3) / 3.
    found = [np.concatenate([LEFT, LEFT]), RIGHT]
    scores = [np.array([0.9, 0.8]), np.array([0.5])]
    assert average_precision(found, scores, [np.concatenate([LEFT, RIGHT]), RIGHT], 0.5) == pytest.approx(5 / 9)
    # An image without people has only false alarms.
    assert average_precision([LEFT, LEFT], [np.array([1.0]), np.array([2.0])], [LEFT, np.empty((0, 4))], 0.5) == 0.5
    assert np.isnan(average_precision([LEFT], [np.array([1.0])], [np.empty((0, 4))], 0.5))
