"""Quadrilaterals from straight edges: each joins two opposite corners of a horizontal and a vertical line."""

from typing import NamedTuple

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.geometry import side_lengths
from art_pipeline.detection.view import View

MIN_LENGTH = 0.025  # of a line, as a share of the longest side
MAX_LINES = 130  # of either direction, the longest
MAX_CORNERS = 350  # of each of the four kinds, those with the longest lines
MAX_QUADS = 12_000  # those whose sides are as long as their lines
MAX_SLOPE = 0.7  # a line is horizontal or vertical up to this slope, about 35 degrees
GAP = 0.02  # between parts of a line, as a share of the longest side
REACH = 0.2  # a corner may be this share of a line's length away from its end
TINY = 1e-9
MAX_OFFSET = 1.6  # pixels between parts of a line, across it


class _Corners(NamedTuple):
    """Corners of one kind: indices of their lines, their places, and the shorter length of their lines."""

    horizontal: np.ndarray
    vertical: np.ndarray
    points: Floats


def quads_from_lines(view: View) -> Floats:
    """Return (n, 4, 2) quadrilaterals, clockwise from the top left; many are wrong."""
    segments = _segments(view)
    steps = np.abs(segments[:, 2:] - segments[:, :2])
    gap = GAP * view.side
    horizontal = _merged(segments[steps[:, 1] < MAX_SLOPE * steps[:, 0]], 0, gap)
    vertical = _merged(segments[steps[:, 0] < MAX_SLOPE * steps[:, 1]], 1, gap)
    if not len(horizontal) or not len(vertical):
        return np.empty((0, 4, 2))
    return _join(horizontal, vertical, 0.5 * gap)


def _segments(view: View) -> Floats:
    """Return (n, 4) float64: x and y of both ends of line segments (von Gioi et al. 2010, LSD), on all channels."""
    detector, found = cv2.createLineSegmentDetector(), []
    offsets, gains = np.array([0, 128, 128], np.float32), np.array([2.55, 2, 2], np.float32)
    channels = np.clip(view.lab * gains + offsets, 0, 255).astype(np.uint8)
    for channel in range(3):
        lines = detector.detect(np.ascontiguousarray(channels[:, :, channel]))[0]
        if lines is not None:
            found.append(lines.reshape(-1, 4).astype(float))
    return np.concatenate(found) if found else np.empty((0, 4))


def _merged(segments: Floats, axis: int, gap: float) -> Floats:
    """Return the longest lines, (n, 4), with increasing x (``axis`` 0) or y (1): segments of one line are joined."""
    backwards = segments[:, axis] > segments[:, 2 + axis]
    segments = np.where(backwards[:, None], segments[:, [2, 3, 0, 1]], segments)
    lines = list[Floats]()
    left = segments[np.argsort(-_lengths(segments), kind="stable")]
    while len(left):
        line, left = _grown(left[0], left[1:], axis, gap)
        lines.append(line)
    joined = np.array(lines).reshape(-1, 4)
    joined = joined[_lengths(joined) >= MIN_LENGTH * gap / GAP]
    return joined[np.argsort(-_lengths(joined), kind="stable")][:MAX_LINES]


def _grown(line: Floats, others: Floats, axis: int, gap: float) -> tuple[Floats, Floats]:
    """Return a line with the segments that continue it, and the segments that are left."""
    while len(others):
        direction = (line[2:] - line[:2]) / max(float(np.linalg.norm(line[2:] - line[:2])), TINY)
        normal = np.array([-direction[1], direction[0]])
        offsets = np.abs((others.reshape(-1, 2, 2) - line[:2]) @ normal).max(axis=1)
        near = (others[:, axis] < line[2 + axis] + gap) & (others[:, 2 + axis] > line[axis] - gap)
        same = near & (offsets < MAX_OFFSET)
        if not same.any():
            break
        ends = np.concatenate([line.reshape(2, 2), others[same].reshape(-1, 2)])
        along = ends @ direction
        line = np.concatenate([ends[along.argmin()], ends[along.argmax()]])
        others = others[~same]
    return line, others


def _lengths(lines: Floats) -> Floats:
    return np.asarray(np.linalg.norm(lines[:, 2:] - lines[:, :2], axis=1))


def _join(horizontal: Floats, vertical: Floats, slack: float) -> Floats:
    """Return quadrilaterals of top left with bottom right corners, and of top right with bottom left ones."""
    points = _crossings(horizontal, vertical)
    starts = {
        (x, y): _corners(horizontal, vertical, points, (x, y), slack) for x in (False, True) for y in (False, True)
    }
    lines = [
        _pairs(starts[True, True], starts[False, False], True),
        _pairs(starts[False, True], starts[True, False], False),
    ]
    top, bottom, left, right = np.unique(np.concatenate(lines), axis=0).T
    corners = [points[top, left], points[top, right], points[bottom, right], points[bottom, left]]
    quads = np.stack(corners, axis=1)
    across, down = _lengths(horizontal), _lengths(vertical)
    fit = _fit(quads, np.stack([across[top], down[right], across[bottom], down[left]], axis=1))
    return quads[np.argsort(-fit, kind="stable")[:MAX_QUADS]]


def _fit(quads: Floats, lengths: Floats) -> Floats:
    """Return (n,) from 0 to 1: how well the lengths of four lines are those of the sides, the worst and the mean."""
    sides = np.maximum(side_lengths(quads), TINY)
    ratios = np.minimum(lengths / sides, sides / np.maximum(lengths, TINY))
    return np.asarray(ratios.min(axis=1) + ratios.mean(axis=1)) / 2


def _crossings(horizontal: Floats, vertical: Floats) -> Floats:
    """Return (n, m, 2): where each horizontal line, prolonged, meets each vertical one."""
    start, step = horizontal[:, None, :2], (horizontal[:, 2:] - horizontal[:, :2])[:, None]
    other, down = vertical[None, :, :2], (vertical[:, 2:] - vertical[:, :2])[None]
    cross = step[..., 0] * down[..., 1] - step[..., 1] * down[..., 0]
    apart = other - start
    share = (apart[..., 0] * down[..., 1] - apart[..., 1] * down[..., 0]) / np.where(cross == 0, TINY, cross)
    return np.asarray(start + share[..., None] * step)


def _corners(horizontal: Floats, vertical: Floats, points: Floats, begins: tuple[bool, bool], slack: float) -> _Corners:
    """Return the corners from which a line goes right (``begins[0]``) or left, and one goes down or up."""
    reach = [_reaches(horizontal[:, None], points, 0, begins[0]), _reaches(vertical[None], points, 1, begins[1])]
    lengths = [_lengths(horizontal)[:, None], _lengths(vertical)[None]]
    good = np.ones(points.shape[:2], bool)
    for (beyond, length), full in zip(reach, lengths, strict=True):
        good &= (beyond < slack + REACH * full) & (length > 0.4 * full)
    strength = np.minimum(reach[0][1], reach[1][1])
    first, second = np.nonzero(good)
    best = np.argsort(-strength[first, second], kind="stable")[:MAX_CORNERS]
    return _Corners(first[best], second[best], points[first[best], second[best]])


def _reaches(lines: Floats, points: Floats, axis: int, begins: bool) -> tuple[Floats, Floats]:
    """Return by how much each point is before the line's end, and how far the line goes on from the point."""
    low, high, value = lines[..., axis], lines[..., 2 + axis], points[..., axis]
    if begins:
        return low - value, high - np.maximum(value, low)
    return value - high, np.minimum(value, high) - low


def _pairs(upper: _Corners, lower: _Corners, is_left: bool) -> np.ndarray:
    """Return (n, 4) indices of the top, bottom, left and right line for all pairs of opposite corners."""
    step = lower.points[None] - upper.points[:, None]
    across = step[..., 0] if is_left else -step[..., 0]
    first, second = np.nonzero((across > 0) & (step[..., 1] > 0))
    sides = (upper.vertical[first], lower.vertical[second])
    left, right = sides if is_left else sides[::-1]
    return np.stack([upper.horizontal[first], lower.horizontal[second], left, right], axis=1)
