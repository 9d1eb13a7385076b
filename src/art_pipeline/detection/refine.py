"""Exact corners: each side moves to the clearest edge near it."""

import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.geometry import is_convex, side_lengths
from art_pipeline.detection.sampling import at, normals
from art_pipeline.detection.view import SIDE, View, view_of

FINE = 2 * SIDE  # longest side of the copy on which sides are moved
REACH = 4  # steps of a pixel by which an end of a side moves, at most, to either direction
MAX_SHARE = 0.02  # of a side's length, by which its neighbours move, at most
SHARES = np.linspace(0.06, 0.94, 40)
CLEARER = 1.05  # a side moves only to an edge that is clearer by this factor
SATURATED = 12.0  # gradient, in multiples of the noise


def refined(pixels: np.ndarray, quads: Floats) -> Floats:
    """Return quadrilaterals whose sides are on the clearest edges near them.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        quads: (n, 4, 2), in pixels of the photograph.
    """
    fine = view_of(pixels, FINE)
    moved = np.array([_moved(fine, quad * fine.scale) for quad in quads]).reshape(-1, 4, 2) / fine.scale
    limits = np.array([pixels.shape[1], pixels.shape[0]], float)
    return np.asarray(np.clip(moved, 0, limits))


def _moved(view: View, quad: Floats) -> Floats:
    across = normals(quad[None])[0]
    reach = min(float(REACH), MAX_SHARE * float(side_lengths(quad[None]).min()) + 1)
    offsets = np.linspace(-reach, reach, 2 * REACH + 1)
    ends = np.roll(quad, -1, axis=0)
    lines = []
    for start, end, normal in zip(quad, ends, across, strict=True):
        first, second = _best_offsets(view, start, end, normal, offsets)
        lines.append((start + first * normal, end + second * normal))
    corners = np.array([_meeting(lines[index - 1], lines[index]) for index in range(4)])
    near = np.abs(corners - quad).max() <= 2 * reach + 1
    return corners if near and is_convex(corners[None])[0] else quad


def _best_offsets(view: View, start: Floats, end: Floats, normal: Floats, offsets: Floats) -> tuple[float, float]:
    """Return by how much each end of a side moves outwards."""
    first, second = (one.ravel() for one in np.meshgrid(offsets, offsets, indexing="ij"))
    moves = first[:, None] * (1 - SHARES) + second[:, None] * SHARES
    points = start + (end - start) * SHARES[:, None] + moves[..., None] * normal
    strength = np.minimum(np.abs(at(view.gradient, points) @ normal), SATURATED).mean(axis=1)
    still = int(np.argmin(np.abs(first) + np.abs(second)))
    best = int(strength.argmax())
    chosen = best if strength[best] > CLEARER * strength[still] else still
    return float(first[chosen]), float(second[chosen])


def _meeting(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> Floats:
    """Return where two lines, each given by two points, meet; the start of the second where they are parallel."""
    step, down, apart = one[1] - one[0], other[1] - other[0], other[0] - one[0]
    cross = step[0] * down[1] - step[1] * down[0]
    if abs(cross) < 1e-9:  # noqa: PLR2004 -- parallel
        return other[0]
    return np.asarray(one[0] + (apart[0] * down[1] - apart[1] * down[0]) / cross * step)
