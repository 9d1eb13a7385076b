"""Quadrilaterals: float64 arrays (n, 4, 2) of x and y, clockwise from the top left, in pixels."""

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
    """Return (n,): the area that a convex quadrilateral shares with each of n others, all clockwise.

    By clipping (Sutherland & Hodgman 1974), all others at once: cv2.intersectConvexConvex returns 0 for some that share
    most of a side.

    Examples:
        >>> square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
        >>> intersections(square, np.array([square, square + [1.0, 0.0], square + [5.0, 0.0]])).tolist()
        [4.0, 2.0, 0.0]
    """
    points = np.broadcast_to(quad, (len(others), *quad.shape))
    for side in range(others.shape[1]):
        points = _clipped(points, others[:, side, None], others[:, (side + 1) % others.shape[1], None])
    return np.maximum(areas(points), 0)


def _clipped(polygons: Floats, starts: Floats, ends: Floats) -> Floats:
    """Return (n, m, 2) polygons to the right of lines as seen on the screen; unused corners repeat the first one."""
    steps, apart = ends - starts, polygons - starts
    inside = steps[..., 0] * apart[..., 1] - steps[..., 1] * apart[..., 0]
    following = np.roll(inside, -1, axis=1)
    crosses = inside * following < 0
    share = np.divide(inside, inside - following, out=np.zeros_like(inside), where=crosses)
    crossings = polygons + (np.roll(polygons, -1, axis=1) - polygons) * share[..., None]
    shape = len(polygons), 2 * polygons.shape[1]
    points = np.stack([polygons, crossings], axis=2).reshape(*shape, 2)
    used = np.stack([inside >= 0, crosses], axis=2).reshape(shape)
    order = np.argsort(~used, axis=1, kind="stable")[:, : max(1, int(used.sum(axis=1).max(initial=0)))]
    rows = np.arange(len(points))[:, None]
    kept = points[rows, order]
    return np.where(used[rows, order][..., None], kept, kept[:, :1])


def ious(quads: Floats, others: Floats) -> Floats:
    """Return (n, m): intersection over union of convex quadrilaterals.

    Examples:
        >>> square = np.array([[[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]])
        >>> ious(square, square + [1.0, 0.0]).round(3).tolist()
        [[0.333]]
    """
    if len(others) < len(quads):
        return ious(others, quads).T
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
