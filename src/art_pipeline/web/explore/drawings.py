"""Drawings of features over an image, as SVG."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from art_pipeline.features.gist import BLOCKS, ORIENTATIONS, SCALES

KEY_POINTS = 300  # most key points to draw, the strongest


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def draw_gist(gist: np.ndarray, size: Size) -> str:
    """Draw the energy of each block's orientations, summed over scales, as strokes along the edges.

    Args:
        gist: (512,) float32, as `art_pipeline.features.gist.gist` returns.
        size: Size of the image; the drawing covers its central square.
    """
    energy = gist.reshape(SCALES, ORIENTATIONS, BLOCKS, BLOCKS).sum(axis=0)
    energy = energy / max(float(energy.max()), 1e-12)
    side = min(size) / BLOCKS
    left, top = ((one - min(size)) / 2 for one in size)
    strokes = []
    for turn, column, row in np.ndindex(energy.shape):
        # Filters turn against the clock, and respond to edges across their direction.
        angle = np.pi / 2 - np.pi * turn / ORIENTATIONS
        reach = np.array([np.cos(angle), np.sin(angle)]) * energy[turn, column, row] * side / 2
        centre = np.array([left + (column + 0.5) * side, top + (row + 0.5) * side])
        strokes.append(_line(centre - reach, centre + reach))
    return _svg(size, strokes, width=max(1.0, side / 40))


def draw_sift(points: np.ndarray, size: Size) -> str:
    """Draw the strongest SIFT key points as circles of their scale, with their direction.

    Args:
        points: (n, 5) float32, as `art_pipeline.features.sift.sift_keypoints` returns.
        size: Size of the image.
    """
    strongest = points[np.argsort(-points[:, 4], kind="stable")[:KEY_POINTS]]
    return _svg(size, [shape for one in strongest for shape in _key_point(one)], width=max(0.6, max(size) / 500))


def _key_point(point: np.ndarray) -> Iterator[str]:
    centre, radius, angle = point[:2], point[2] / 2, np.radians(point[3])
    yield f'<circle cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="{radius:.1f}"/>'
    yield _line(centre, centre + radius * np.array([np.cos(angle), np.sin(angle)]))


def _line(start: np.ndarray, end: np.ndarray) -> str:
    return f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"/>'


def _svg(size: Size, shapes: list[str], width: float) -> str:
    """Return the shapes, light over a dark edge, so that they are seen on any image."""
    body = "".join(shapes)
    dark = f'<g fill="none" stroke="#000" stroke-opacity=".6" stroke-width="{2.6 * width:.2f}">{body}</g>'
    light = f'<g fill="none" stroke="#ffd23f" stroke-width="{width:.2f}">{body}</g>'
    box = f'viewBox="0 0 {size.width} {size.height}" width="{size.width}" height="{size.height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{dark}{light}</svg>'
