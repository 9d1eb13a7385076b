"""Values of a photograph along the sides of quadrilaterals and inside them."""

import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.view import View

SHARES = np.linspace(0.05, 0.95, 20)  # places along a side


def at(values: Floats, points: Floats) -> Floats:
    """Return the value of the pixel nearest to each (…, 2) point; outside the photograph, of its nearest pixel."""
    height, width = values.shape[:2]
    x = np.clip(points[..., 0], 0, width - 1).astype(np.intp)
    y = np.clip(points[..., 1], 0, height - 1).astype(np.intp)
    return np.asarray(values.reshape(height * width, -1)[y * width + x])


def along_sides(quads: Floats, shares: Floats = SHARES) -> Floats:
    """Return (n, 4, shares, 2): points on the top, right, bottom and left side."""
    ends = np.roll(quads, -1, axis=1)
    return np.asarray(quads[:, :, None] + (ends - quads)[:, :, None] * shares[:, None])


def normals(quads: Floats) -> Floats:
    """Return (n, 4, 2): unit vectors that point away from clockwise quadrilaterals, of each side."""
    steps = np.roll(quads, -1, axis=1) - quads
    outwards = np.stack([steps[..., 1], -steps[..., 0]], axis=-1)
    return np.asarray(outwards / np.maximum(np.linalg.norm(outwards, axis=-1, keepdims=True), 1e-9))


def edge_strength(view: View, quads: Floats, reach: int = 1) -> Floats:
    """Return (n, 4, shares): the gradient across each side, the largest within ``reach`` pixels of it."""
    points, across = along_sides(quads)[..., None, :], normals(quads)[:, :, None, None]
    offsets = np.arange(-reach, reach + 1, dtype=float)[:, None]
    gradients = at(view.gradient, points + across * offsets)
    return np.asarray(np.abs((gradients * across).sum(axis=-1)).max(axis=-1))


def grid(quads: Floats, number: int) -> Floats:
    """Return (n, number, number, 2): points inside, in rows from the top, by bilinear interpolation."""
    shares = (np.arange(number) + 0.5) / number
    x, y = shares[None, None, :, None], shares[None, :, None, None]
    top_left, top_right, bottom_right, bottom_left = (quads[:, corner, None, None] for corner in range(4))
    top, bottom = top_left + (top_right - top_left) * x, bottom_left + (bottom_right - bottom_left) * x
    return np.asarray(top + (bottom - top) * y)
