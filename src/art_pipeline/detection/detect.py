"""Find the paintings in a photograph: proposals, scores, suppression of overlaps, and exact corners.

No labelled photographs are needed: proposals come from edges and regions, and the scorer is trained on drawn rooms.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.geometry import areas, bounds, intersections, size_of
from art_pipeline.detection.measures import measure
from art_pipeline.detection.proposals import propose
from art_pipeline.detection.refine import refined
from art_pipeline.detection.scorer import Scorer, stored_scorer
from art_pipeline.detection.view import view_of

MIN_SCORE = 0.5
MAX_SHARED = 0.2  # of the smaller area, that two paintings may share
MAX_PAINTINGS = 100  # of a photograph
LEAST_SIDE = 16  # pixels; a smaller photograph has no painting
LEAST_SCORE = 0.02


@dataclass(frozen=True)
class Painting:
    """A painting in a photograph, with its frame.

    Attributes:
        corners: (4, 2) float64, x and y in pixels of the photograph, clockwise from the top left.
        score: Predicted intersection over union with a painting, from 0 to 1.
    """

    corners: Floats
    score: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the smallest upright rectangle around the corners."""
        left, top, right, bottom = bounds(self.corners[None])[0].tolist()
        return left, top, right, bottom


def find_paintings(pixels: np.ndarray, min_score: float = MIN_SCORE, scorer: Scorer | None = None) -> list[Painting]:
    """Return the paintings in a photograph, the most certain first.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        min_score: Paintings with a lower score are left out.
        scorer: None for the one that belongs to this version.

    Returns:
        None, one or more paintings; they overlap by no more than `MAX_SHARED` of the smaller one.
    """
    if min(pixels.shape[:2]) < LEAST_SIDE:
        return []
    view = view_of(pixels)
    quads = propose(view)
    if not len(quads):
        return []
    scores = (scorer or stored_scorer())(measure(view, quads))
    kept = suppress(quads, scores, max(min_score, LEAST_SCORE))
    if not len(kept):
        return []
    corners = refined(pixels, quads[kept] / view.scale)
    return [Painting(one, float(score)) for one, score in zip(corners, scores[kept], strict=True)]


def suppress(quads: Floats, scores: Floats, min_score: float) -> np.ndarray:
    """Return the indices of the best quadrilaterals, best first, that share little with a better one."""
    order = [index for index in np.argsort(-scores, kind="stable") if scores[index] >= min_score]
    sizes, kept = areas(quads), list[int]()
    left = np.array(order, np.intp)
    while len(left) and len(kept) < MAX_PAINTINGS:
        best, left = left[0], left[1:]
        kept.append(int(best))
        shared = intersections(quads[best], quads[left]) / np.minimum(sizes[left], sizes[best])
        left = left[shared <= MAX_SHARED]
    return np.array(kept, np.intp)


def straighten(pixels: np.ndarray, painting: Painting, max_side: int) -> np.ndarray:
    """Return the painting as seen from the front, (height, width, 3) uint8; the longest side is at most ``max_side``.

    Its proportions are those of the mean lengths of opposite sides.
    """
    width, height = size_of(painting.corners)
    scale = min(1.0, max_side / max(width, height))
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top, part = _around(pixels, painting, scale)
    source = (painting.corners - [left, top]) * scale - 0.5  # from the corner of a pixel to its centre
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    view = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    size = (width, height)
    return np.asarray(cv2.warpPerspective(part, view, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def _around(pixels: np.ndarray, painting: Painting, scale: float) -> tuple[int, int, np.ndarray]:
    """Return the left and top of the part of a photograph around a painting, and the part, made smaller by areas."""
    left, top, right, bottom = painting.box
    x, y = max(0, int(left) - 2), max(0, int(top) - 2)
    part = pixels[y : int(np.ceil(bottom)) + 2, x : int(np.ceil(right)) + 2]
    if scale < 1:
        part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return x, y, part
