"""Quadrilaterals from regions: outlines of what differs from the wall, and of what edges enclose."""

from collections.abc import Iterator

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.geometry import is_convex, ordered
from art_pipeline.detection.view import View

MIN_AREA = 0.002  # of a region, as a share of the photograph
MIN_FILL = 0.55  # share of its rectangle that a region covers
BORDER = 0.02  # width of the photograph's border, as a share of its shorter side
COLOURS = 6  # into which a photograph is divided
SHRINK = 4  # of the copy whose colours are divided
EDGES = (4.0, 9.0, 18.0)  # gradients that count as edges, in multiples of the noise


def quads_from_regions(view: View) -> Floats:
    """Return (n, 4, 2) quadrilaterals, clockwise from the top left; many are wrong."""
    found = [quad for mask in _masks(view) for quad in _outlines(mask)]
    return np.array(found).reshape(-1, 4, 2)


def border_distance(lab: Floats) -> Floats:
    """Return (height, width) float32: the distance of each colour from the median colour of the border."""
    height, width = lab.shape[:2]
    band = max(1, round(BORDER * min(height, width)))
    parts = (lab[:band], lab[-band:], lab[:, :band], lab[:, -band:])
    border = np.concatenate([part.reshape(-1, 3) for part in parts])
    return np.asarray(np.linalg.norm(lab - np.median(border, axis=0), axis=2), np.float32)


def otsu(values: Floats) -> np.ndarray:
    """Return a uint8 mask, 0 or 255, of the values above Otsu's threshold (Otsu 1979)."""
    top = max(float(values.max()), 1e-6)
    scaled = np.clip(values * (255 / top), 0, 255).astype(np.uint8)
    return np.asarray(cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])


def _masks(view: View) -> Iterator[np.ndarray]:
    distance = border_distance(view.lab)
    yield otsu(distance)
    for threshold in (6.0, 12.0, 25.0):
        yield np.where(distance > threshold, 255, 0).astype(np.uint8)
    magnitude = np.linalg.norm(view.gradient, axis=2)
    for threshold in EDGES:
        yield cv2.dilate(np.where(magnitude > threshold, 255, 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    yield from _colour_masks(view.lab)


def _colour_masks(lab: Floats) -> Iterator[np.ndarray]:
    """Yield the pixels of each of the photograph's main colours, by k-means on a smaller copy, and all others."""
    size = (max(1, lab.shape[1] // SHRINK), max(1, lab.shape[0] // SHRINK))
    small = cv2.resize(lab, size, interpolation=cv2.INTER_AREA)
    points, criteria = small.reshape(-1, 3).astype(np.float32), (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    start = (np.arange(len(points)) * COLOURS // max(len(points), 1)).astype(np.int32)[:, None]
    number = min(COLOURS, len(points))
    means = cv2.kmeans(points, number, np.minimum(start, number - 1), criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)[2]
    nearest = np.argmin([((lab - mean) ** 2).sum(axis=2) for mean in means], axis=0)
    for index in range(len(means)):
        mask = np.where(nearest == index, 255, 0).astype(np.uint8)
        yield cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        yield cv2.morphologyEx(255 - mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))


def _outlines(mask: np.ndarray) -> Iterator[Floats]:
    """Yield the smallest rectangle around each region and, where its outline has four corners, these."""
    contours = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    for contour in contours:
        area = cv2.contourArea(contour)
        if area < MIN_AREA * mask.size:
            continue
        rectangle = cv2.minAreaRect(contour)
        if area < MIN_FILL * rectangle[1][0] * rectangle[1][1]:
            continue
        yield ordered(cv2.boxPoints(rectangle).astype(float))
        yield from _polygon(contour)


def _polygon(contour: np.ndarray) -> Iterator[Floats]:
    hull = cv2.convexHull(contour)
    for share in (0.02, 0.05):
        corners = cv2.approxPolyDP(hull, share * cv2.arcLength(hull, True), True).reshape(-1, 2)
        if len(corners) == 4:  # noqa: PLR2004 -- a quadrilateral
            quad = ordered(corners.astype(float))
            if is_convex(quad[None])[0]:
                yield quad
                return
