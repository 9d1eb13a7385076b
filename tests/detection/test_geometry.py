"""Quadrilaterals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.detection.geometry import areas, bounds, intersections, ious, is_convex, ordered, size_of

SHIFTS = st.tuples(*[st.floats(-8, 8)] * 8)
SQUARE = np.array([[0.0, 0.0], [40.0, 0.0], [40.0, 30.0], [0.0, 30.0]])


def quads():
    return SHIFTS.map(lambda values: SQUARE + np.array(values).reshape(4, 2))


@given(quads(), quads())
def test_intersection_over_union_is_symmetric_and_one_with_itself(one, other):
    table = ious(np.stack([one, other]), np.stack([one, other]))
    assert np.allclose(table, table.T, atol=1e-4)
    assert np.allclose(np.diag(table), 1, atol=1e-3)
    assert (table >= 0).all() and (table <= 1 + 1e-3).all()


@given(quads(), st.permutations(range(4)))
def test_corners_in_any_order_are_put_in_order(quad, order):
    assert np.array_equal(ordered(quad[order]), ordered(quad))
    assert is_convex(ordered(quad)[None])[0] and areas(ordered(quad)[None])[0] > 0


def test_measures_by_hand():
    halves = np.stack([SQUARE, np.add(SQUARE, [20, 0]), np.add(SQUARE, [50, 0])])
    assert ious(SQUARE[None], halves)[0] == pytest.approx([1, 1 / 3, 0])
    assert ious(SQUARE[None], halves[:0]).shape == (1, 0) and ious(halves[:0], halves).shape == (0, 3)
    assert areas(halves).tolist() == [1200] * 3
    assert bounds(halves)[1].tolist() == [20, 0, 60, 30]
    assert size_of(SQUARE) == (40, 30)
    assert not is_convex(SQUARE[None, ::-1])[0]


def test_quadrilaterals_that_share_a_side_share_an_area():
    inner = np.array([[0.0, 0.0], [40.0, 0.0], [40.0, 20.0], [0.0, 20.0]])
    others = np.stack([inner, SQUARE, SQUARE + 50.0, np.add(SQUARE, [20, 15]), np.add(SQUARE, [40, 0])])
    assert intersections(SQUARE, others) == pytest.approx([800, 1200, 0, 300, 0])
    assert intersections(inner, SQUARE[None]) == pytest.approx([800])


@given(quads(), quads(), st.integers(0, 3))
def test_a_quadrilateral_that_shares_most_of_a_side_is_seen(one, other, side):
    """Halves lie within the whole, and what they share with another quadrilateral adds up."""
    corners = np.roll(one, side, axis=0)
    middles = (corners[0] + corners[1]) / 2, (corners[2] + corners[3]) / 2
    halves = np.array([[corners[0], middles[0], middles[1], corners[3]], [middles[0], *corners[1:3], middles[1]]])
    assert intersections(one, halves) == pytest.approx(areas(halves))
    assert intersections(other, halves).sum() == pytest.approx(intersections(other, one[None])[0], abs=1e-6)
