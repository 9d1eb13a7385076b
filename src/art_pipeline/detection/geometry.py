"""Quadrilaterals: float64 arrays (n, 4, 2) of x and y, clockwise from the top left, in pixels."""

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats


def ordered(corners: Floats) -> Floats:
    """Return four corners clockwise on the screen, from the one nearest to the top left.

    Args:
        corners: (4, 2), of a convex quadrilateral in any order.

    Examples:
        >>> ordered(np.array([[9.0, 9.0], [0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])).tolist()
        [[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]]
    """
    centred = corners - corners.mean(axis=0)
    clockwise = corners[np.argsort(np.arctan2(centred[:, 1], centred[:, 0]), kind="stable")]
    return np.roll(clockwise, -int(np.argmin(clockwise.sum(axis=1))), axis=0)


def bounds(quads: Floats) -> Floats:
    """Return (n, 4): left, top, right and bottom."""
    return np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)


def areas(quads: Floats) -> Floats:
    """Return (n,): areas by the shoelace formula, positive for clockwise corners on the screen."""
    x, y = quads[:, :, 0], quads[:, :, 1]
    return np.asarray((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1) / 2)


def is_convex(quads: Floats) -> np.ndarray:
    """Return (n,) bool: whether every corner turns clockwise."""
    edges = np.roll(quads, -1, axis=1) - quads
    after = np.roll(edges, -1, axis=1)
    turns = edges[:, :, 0] * after[:, :, 1] - edges[:, :, 1] * after[:, :, 0]
    return np.asarray((turns > 0).all(axis=1))


def intersections(quad: Floats, others: Floats) -> Floats:
    """Return (n,): the area that a convex quadrilateral shares with each of n others."""
    own, box, found = quad.astype(np.float32), bounds(quad[None])[0], np.zeros(len(others))
    boxes = bounds(others)
    near = (boxes[:, :2] < box[2:]).all(axis=1) & (boxes[:, 2:] > box[:2]).all(axis=1)
    for index in np.flatnonzero(near):
        found[index] = cv2.intersectConvexConvex(own, others[index].astype(np.float32))[0]
    return found


def shared_area(quad: Floats, other: Floats) -> float:
    """Return the area that two convex quadrilaterals share, by clipping (Sutherland & Hodgman 1974).

    It is slower than `intersections`, whose OpenCV function returns 0 for some that share most of a side.
    """
    points = quad
    for start, end in zip(other, np.roll(other, -1, axis=0), strict=True):
        step, apart = end - start, points - start
        inside = step[0] * apart[:, 1] - step[1] * apart[:, 0]
        after, following = np.roll(points, -1, axis=0), np.roll(inside, -1)
        kept = list[Floats]()
        for index, value in enumerate(inside):
            if value >= 0:
                kept.append(points[index])
            if value * following[index] < 0:
                kept.append(points[index] + (after[index] - points[index]) * value / (value - following[index]))
        if not kept:
            return 0.0
        points = np.array(kept)
    return float(areas(points[None])[0])


def ious(quads: Floats, others: Floats) -> Floats:
    """Return (n, m): intersection over union of convex quadrilaterals.

    Examples:
        >>> square = np.array([[[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]])
        >>> ious(square, square + [1.0, 0.0]).round(3).tolist()
        [[0.333]]
    """
    shared = np.array([intersections(quad, others) for quad in quads]).reshape(len(quads), len(others))
    union = areas(quads)[:, None] + areas(others)[None] - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def scaled_about_centre(quads: Floats, factors: float | Floats) -> Floats:
    """Return quadrilaterals that are larger or smaller by a factor."""
    centres = quads.mean(axis=1, keepdims=True)
    return np.asarray(centres + (quads - centres) * factors)


def side_lengths(quads: Floats) -> Floats:
    """Return (n, 4): lengths of the top, right, bottom and left side."""
    return np.asarray(np.linalg.norm(np.roll(quads, -1, axis=1) - quads, axis=2))


def size_of(quad: Floats) -> tuple[int, int]:
    """Return width and height of the straightened quadrilateral: the mean lengths of opposite sides."""
    top, right, bottom, left = side_lengths(quad[None])[0]
    return max(1, round((top + bottom) / 2)), max(1, round((left + right) / 2))
