"""Rooms that are drawn from a seed."""

import numpy as np
import pytest

from art_pipeline.detection.detect import Painting, straighten
from art_pipeline.detection.geometry import areas, ious, is_convex
from art_pipeline.detection.images import varied_images
from art_pipeline.detection.rooms.room import KINDS, compose_room

WIDTH = 320


@pytest.mark.parametrize("kind", KINDS)
def test_works_are_inside_and_apart(works, kind):
    for number in range(4):
        room = compose_room(works, kind, 3, number, WIDTH)
        height, width = room.pixels.shape[:2]
        assert sorted((height, width)) in ([240, 320], [320, 427])
        assert len(room.works) == len(room.used) <= KINDS[kind].works[1]
        assert is_convex(room.works).all() and (areas(room.works) > 100).all()
        assert (room.works >= -1).all() and (room.works <= [width + 1, height + 1]).all()
        assert np.triu(ious(room.works, room.works), 1).max(initial=0) == 0


def test_the_same_arguments_give_the_same_room(works):
    one, again = (compose_room(works, "furnished", 3, 1, WIDTH) for _ in range(2))
    assert np.array_equal(one.pixels, again.pixels) and np.array_equal(one.works, again.works)
    for other in (compose_room(works, "furnished", 3, 2, WIDTH), compose_room(works, "furnished", 4, 1, WIDTH)):
        assert other.pixels.shape != one.pixels.shape or not np.array_equal(other.pixels, one.pixels)


def test_a_work_is_where_its_corners_are():
    """Two halves in black and white, whose edge is in the middle of the straightened work."""
    image = np.zeros((60, 90, 3), np.uint8)
    image[:, 45:] = 255
    room = compose_room([image], "perspective", 0, 0, 640)
    (corners,) = room.works
    seen = straighten(room.pixels, Painting(corners, 1.0), 200)
    middle = seen[seen.shape[0] // 2].mean(axis=1)
    edge = int(np.abs(np.diff(middle[len(middle) // 4 : -len(middle) // 4])).argmax()) + len(middle) // 4
    assert edge == pytest.approx(len(middle) / 2, abs=0.06 * len(middle))


def test_an_empty_room_has_other_things_and_no_works(works):
    rooms = [compose_room(works, "empty", 0, number, WIDTH) for number in range(6)]
    assert not any(len(room.works) for room in rooms)
    assert any(room.things for room in rooms)


def test_images_to_train_on_differ_from_the_museum_and_repeat(works):
    one, again = varied_images(1, 5), varied_images(1, 5)
    assert all(np.array_equal(*pair) for pair in zip(one, again, strict=True))
    assert not any(np.array_equal(*pair) for pair in zip(one, works, strict=False))
