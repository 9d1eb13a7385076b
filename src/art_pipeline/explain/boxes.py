"""Boxes from maps, and their measures against boxes by people.

A box is ``left, top, right, bottom``; boxes of several are (n, 4). They are shares of width and height, from 0 to 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Scores = NDArray[np.float64]
Map = NDArray[np.float32]
Growth = tuple[float, float, float]

WHOLE = np.array([[0.0, 0.0, 1.0, 1.0]])
NO_GROWTH = (0.0, 0.0, 0.0)
OVERLAPS = (0.3, 0.5, 0.7)  # of MaxBoxAccV2


def boxes_of(values: Map, threshold: float, grow: Growth = NO_GROWTH, min_share: float = 0.0) -> tuple[Boxes, Scores]:
    """Return a box around each connected region of a map above a threshold.

    Args:
        values: (height, width) map; only its ranks and ratios matter.
        threshold: Share of the highest value, from 0 to 1. What is below is outside.
        grow: By what shares of its width and height each box grows: to each side, up and down.
        min_share: Smallest area of a region, as a share of the map.

    Returns:
        (n, 4) boxes, and (n,) scores, the highest value in each region; the highest first. None for a map without
        values above 0.

    >>> values = np.zeros((4, 8), np.float32); values[1:3, 2:4] = 1
    >>> boxes_of(values, 0.5)[0].tolist()
    [[0.25, 0.25, 0.5, 0.75]]
    """
    import cv2

    highest = float(values.max(initial=0))
    if highest <= 0:
        return np.empty((0, 4)), np.empty(0)
    inside = (values >= threshold * highest) & (values > 0)
    number, regions, statistics, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    kept = [i for i in range(1, number) if statistics[i, cv2.CC_STAT_AREA] >= min_share * values.size]
    scores = np.array([values[regions == i].max() for i in kept], np.float64)
    left, top, width, height = statistics[kept, :4].T.astype(np.float64) if kept else np.empty((4, 0))
    corners = np.stack([left, top, left + width, top + height], axis=1) / np.array(values.shape[::-1] * 2)
    order = np.argsort(-scores, kind="stable")
    return grow_boxes(corners[order], grow), scores[order]


def grow_boxes(boxes: Boxes, grow: Growth) -> Boxes:
    """Move the edges of boxes outwards, within the image: to each side, up and down, as `boxes_of` takes it."""
    sideways, up, down = grow
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    moved = np.stack([-sideways * width, -up * height, sideways * width, down * height], axis=1)
    grown: Boxes = np.clip(boxes + moved, 0, 1)
    return grown


def centre_prior(shape: tuple[int, int]) -> Map:
    """Return a map that is 1 in the centre and falls to 0 at the edges; above a threshold, it is a centre box.

    Added to a map, it lets boxes reach to the centre, where most objects are.
    """
    rows, columns = (np.abs((np.arange(side) + 0.5) / side - 0.5) for side in shape)
    return (1 - 2 * np.maximum(rows[:, None], columns)).astype(np.float32)


def centre_box(share: float) -> Boxes:
    """Return the box in the centre of an image whose sides are a share of the image's.

    >>> centre_box(0.5).tolist()
    [[0.25, 0.25, 0.75, 0.75]]
    """
    return grow_boxes(WHOLE, ((share - 1) / 2,) * 3)


def overlaps(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Return the (n, m) intersections over unions of two sets of boxes.

    >>> overlaps(WHOLE, centre_box(0.5)).tolist()
    [[0.25]]
    """
    first = np.maximum(boxes[:, None, :2], others[None, :, :2])
    last = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(last - first, 0), axis=2)
    areas = [np.prod(one[:, 2:] - one[:, :2], axis=1) for one in (boxes, others)]
    union = areas[0][:, None] + areas[1] - shared
    shares: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return shares


def best_overlaps(found: Sequence[Boxes], true: Sequence[Boxes]) -> NDArray[np.float64]:
    """Return, for each image, the highest overlap of any found box with any true one; 0 without a found box."""
    return np.array([overlaps(*pair).max(initial=0) for pair in zip(found, true, strict=True)])


def box_accuracy(best: NDArray[np.float64], overlap: float) -> float:
    """Return the share of images whose best overlap is at least a value.

    With the best threshold for each of `OVERLAPS`, the average of the three is MaxBoxAccV2 (Choe et al. 2020,
    "Evaluating weakly supervised object localization methods right").
    """
    return float((best >= overlap).mean())


def average_precision(found: Sequence[Boxes], scores: Sequence[Scores], true: Sequence[Boxes], overlap: float) -> float:
    """Return the average precision of boxes, as the area under the interpolated curve (PASCAL VOC 2010).

    Args:
        found: For each image, (n, 4) boxes.
        scores: For each image, (n,) scores of the boxes.
        true: For each image, (m, 4) true boxes; none for an image without the class.
        overlap: Intersection over union from which a box is right. A second one for the same true box is wrong.

    Returns:
        From 0 to 1; NaN without true boxes.
    """
    hits = [right_boxes(*one, overlap) for one in zip(found, scores, true, strict=True)]
    total = sum(len(one) for one in true)
    if not total:
        return float("nan")
    order = np.argsort(-np.concatenate(list(scores)), kind="stable")
    right = np.concatenate(hits)[order].cumsum()
    precision = right / np.arange(1, len(right) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(right, prepend=0) * highest).sum() / total)


def right_boxes(found: Boxes, scores: Scores, true: Boxes, overlap: float) -> NDArray[np.bool_]:
    """Return which boxes of an image are right; each true box is found once, by the box of the highest score.

    Args:
        found: (n, 4) boxes.
        scores: (n,) scores of the boxes.
        true: (m, 4) true boxes.
        overlap: Intersection over union from which a box is right.

    Returns:
        (n,) booleans, in the order of the boxes.
    """
    table, hits, free = overlaps(found, true), np.zeros(len(found), bool), np.ones(len(true), bool)
    for i in np.argsort(-scores, kind="stable"):
        if len(true) and table[i].max() >= overlap and free[best := int(table[i].argmax())]:
            hits[i], free[best] = True, False
    return hits
