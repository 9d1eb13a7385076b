"""Proposals: quadrilaterals that may be paintings, those with the clearest sides first."""

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.geometry import areas, bounds, is_convex, side_lengths
from art_pipeline.detection.lines import quads_from_lines
from art_pipeline.detection.regions import quads_from_regions
from art_pipeline.detection.sampling import along_sides, at, normals
from art_pipeline.detection.view import View

MAX_PROPOSALS = 700
MIN_SIDE = 0.035  # as a share of the photograph's longest side
MIN_AREA = 0.002  # as a share of the photograph
MAX_ASPECT = 12.0
MAX_FORESHORTENING = 2.5  # of opposite sides
OUTSIDE = 0.01  # of the longest side, by which a corner may lie outside the photograph
EDGE = 3.0  # a gradient in multiples of the noise: saturates the measure of a side
PLACES = np.linspace(0.06, 0.94, 10)  # along a side
CHUNK = 20_000


def propose(view: View) -> Floats:
    """Return (n, 4, 2) quadrilaterals in pixels of the copy, at most `MAX_PROPOSALS`, without near-duplicates."""
    drawn = np.concatenate([quads_from_lines(view), quads_from_regions(view)])
    quads: Floats = drawn[_is_possible(drawn, view)]
    if not len(quads):
        return quads
    thick = np.asarray(cv2.dilate(np.abs(view.gradient), np.ones((3, 3), np.uint8)), np.float32)
    parts = [quads[start : start + CHUNK] for start in range(0, len(quads), CHUNK)]
    clarity = np.concatenate([_clarity(thick, part) for part in parts])
    order = np.argsort(-clarity, kind="stable")[: 4 * MAX_PROPOSALS]
    return _without_duplicates(quads[order], view.side)[:MAX_PROPOSALS]


def _is_possible(quads: Floats, view: View) -> np.ndarray:
    """Return (n,) bool: convex, inside the photograph, neither tiny nor long nor too foreshortened."""
    slack, box, sides = OUTSIDE * view.side, bounds(quads), side_lengths(quads)
    inside = (box[:, :2] >= -slack).all(axis=1) & (box[:, 2:] <= [view.width + slack, view.height + slack]).all(axis=1)
    lengths = sides[:, :2] + sides[:, 2:]
    ratio = lengths.max(axis=1) / np.maximum(lengths.min(axis=1), 1e-9)
    opposite = np.maximum(sides[:, :2], sides[:, 2:]) / np.maximum(np.minimum(sides[:, :2], sides[:, 2:]), 1e-9)
    shape = (sides.min(axis=1) > MIN_SIDE * view.side) & (ratio < MAX_ASPECT)
    shape &= (opposite < MAX_FORESHORTENING).all(axis=1)
    return np.asarray(inside & shape & is_convex(quads) & (areas(quads) > MIN_AREA * view.height * view.width))


def _clarity(gradient: Floats, quads: Floats) -> Floats:
    """Return (n,) from 0 to 1: how much of each side is an edge; the two least clear sides count most.

    Args:
        gradient: (height, width, 2), absolute, in multiples of the noise; the largest within a pixel.
        quads: (n, 4, 2).
    """
    strength = (at(gradient, along_sides(quads, PLACES)) * np.abs(normals(quads))[:, :, None]).sum(axis=3)
    sides = np.sort(np.minimum(strength / EDGE, 1).mean(axis=2), axis=1)
    return np.asarray(sides @ np.array([0.4, 0.3, 0.2, 0.1]))


def _without_duplicates(quads: Floats, side: int) -> Floats:
    """Return quadrilaterals, in their order, without those whose corners are all near those of an earlier one."""
    kept, step = dict[bytes, int](), max(2.0, side / 250)
    for index, key in enumerate(np.round(quads / step).astype(np.int32)):
        kept.setdefault(key.tobytes(), index)
    return quads[[*kept.values()]]
