"""Paintings are found where they are, and not where there are none."""

import numpy as np
import pytest

from art_pipeline.detection.detect import MAX_SHARED, Painting, find_paintings, straighten, suppress
from art_pipeline.detection.geometry import areas, intersections, ious
from art_pipeline.detection.measures import NAMES, measure
from art_pipeline.detection.proposals import MAX_PROPOSALS, propose
from art_pipeline.detection.refine import refined
from art_pipeline.detection.rooms.room import compose_room
from art_pipeline.detection.view import view_of

WALL = (196, 190, 180)


def wall_with(work, left=150, top=90, shape=(360, 480), frame=8):
    """A plain wall with one framed work, and the work's corners."""
    wall = np.empty((*shape, 3), np.uint8)
    wall[:] = WALL
    height, width = (side + 2 * frame for side in work.shape[:2])
    wall[top : top + height, left : left + width] = (96, 66, 20)
    wall[top + frame : top + height - frame, left + frame : left + width - frame] = work
    corners = [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]
    return wall, np.array(corners, float)


@pytest.fixture(scope="module")
def work(works):
    return works[0][:160, :140]


def test_a_framed_work_on_a_plain_wall_is_found_exactly(work):
    wall, corners = wall_with(work)
    (found,) = find_paintings(wall)
    assert ious(found.corners[None], corners[None])[0, 0] > 0.9
    assert 0.5 <= found.score <= 1
    assert found.box == pytest.approx((150, 90, 150 + work.shape[1] + 16, 90 + work.shape[0] + 16), abs=10)


def test_works_on_patterned_walls_in_perspective_are_found(works):
    hits = total = 0
    for kind in ("several", "patterned", "perspective"):
        room = compose_room(works, kind, 77, 0, 640)
        found = np.array([one.corners for one in find_paintings(room.pixels)]).reshape(-1, 4, 2)
        hits += (ious(room.works, found).max(axis=1, initial=0) > 0.75).sum()
        total += len(room.works)
    assert total >= 4 and hits >= 0.75 * total


@pytest.mark.parametrize(
    "shape", [(1, 1), (8, 900), (15, 15), (16, 16), (20, 3000), (3000, 20), (200, 300)], ids="{0[0]}x{0[1]}".format
)
@pytest.mark.parametrize("noise", [0, 4])
def test_a_photograph_of_nothing_has_no_painting(shape, noise):
    rng = np.random.default_rng(0)
    plain = np.clip(128 + noise * rng.normal(size=(*shape, 3)), 0, 255).astype(np.uint8)
    assert find_paintings(plain) == []


def test_a_grey_photograph_is_searched_too(work):
    wall, corners = wall_with(work)
    grey = np.repeat(wall.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    (found,) = find_paintings(grey)
    assert ious(found.corners[None], corners[None])[0, 0] > 0.85


def test_a_larger_photograph_gives_the_same_painting_in_its_own_pixels(work):
    wall, corners = wall_with(work)
    (found,) = find_paintings(np.kron(wall, np.ones((3, 3, 1), np.uint8)))
    assert ious(found.corners[None], 3 * corners[None])[0, 0] > 0.85


def test_two_calls_give_the_same(works):
    room = compose_room(works, "several", 5, 1, 480)
    one, again = find_paintings(room.pixels), find_paintings(room.pixels)
    assert [(a.score, a.corners.tolist()) for a in one] == [(a.score, a.corners.tolist()) for a in again]


def test_the_straightened_crop_is_the_work(work):
    wall, corners = wall_with(work, frame=0)
    painting = Painting(corners, 1.0)
    assert np.array_equal(straighten(wall, painting, 2048), work)
    assert straighten(wall, painting, 50).shape[0] == 50
    leaning = Painting(np.add(corners, [[0, 0], [0, 9], [0, -9], [0, 0]]), 1.0)
    assert straighten(wall, leaning, 2048).shape[:2] == (work.shape[0] - 9, work.shape[1])


def test_sides_move_to_the_edge_near_them(work):
    wall, corners = wall_with(work)
    moved = np.add(corners, [[2, -2], [-2, 1], [3, 2], [-1, -2]])
    assert np.abs(refined(wall, moved[None])[0] - corners).max() < 1.5


def test_proposals_and_their_measures_are_bounded_and_finite(works):
    view = view_of(compose_room(works, "furnished", 5, 2, 480).pixels)
    quads = propose(view)
    assert 0 < len(quads) <= MAX_PROPOSALS
    features = measure(view, quads)
    assert features.shape == (len(quads), len(NAMES)) and len(set(NAMES)) == len(NAMES)
    assert np.isfinite(features).all()


def test_of_overlapping_paintings_the_best_is_kept():
    rng = np.random.default_rng(0)
    starts, square = rng.uniform(0, 60, (40, 1, 2)), np.array([[0, 0], [20, 0], [20, 20], [0, 20]], float)
    quads, scores = starts + square, rng.uniform(size=40)
    kept = suppress(quads, scores, 0.2)
    assert kept[0] == scores.argmax() and (np.diff(scores[kept]) <= 0).all() and scores[kept].min() >= 0.2
    for index in kept:
        shared = intersections(quads[index], quads[kept[kept != index]])
        assert (shared <= MAX_SHARED * areas(quads)[0] + 1e-6).all()
    for index in set(np.flatnonzero(scores >= 0.2)) - set(kept):
        better = kept[scores[kept] > scores[index]]
        assert (intersections(quads[index], quads[better]) > MAX_SHARED * areas(quads)[0]).any()
