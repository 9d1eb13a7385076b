"""Measures of a quadrilateral: hand-made features from which `scorer` predicts whether it is a painting."""

import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.geometry import areas, bounds, scaled_about_centre, side_lengths
from art_pipeline.detection.sampling import along_sides, at, edge_strength, grid, normals
from art_pipeline.detection.view import View

EDGE = 3.0  # a gradient in multiples of the noise that counts as an edge
GRID = 14  # points inside, in each direction
INSETS = (0.03, 0.06, 0.1, 0.15, 0.22, 0.3)  # shares of the size, where a frame may end
OUTSETS = (1.04, 1.09, 1.16, 1.26)
BINS = 12  # of each channel of the colour histogram
EPSILON = 1e-6


def measure(view: View, quads: Floats) -> Floats:
    """Return (n, features) float32; the names of the features are `NAMES`.

    Args:
        view: The photograph's copy.
        quads: (n, 4, 2), in pixels of the copy.
    """
    parts = (_sides, _rings, _inside, _nested, _beyond, _shape)
    return np.concatenate([part(view, quads) for part in parts], axis=1).astype(np.float32)


def _sides(view: View, quads: Floats) -> Floats:
    """Return how clear the sides are: shares of edge and mean strengths, from the least clear side on."""
    strength = edge_strength(view, quads)
    shares = np.sort((strength > EDGE).mean(axis=2), axis=1)
    means = np.sort(np.log1p(strength).mean(axis=2), axis=1)
    return np.concatenate([shares, means, np.log1p(strength).std(axis=2).mean(axis=1, keepdims=True)], axis=1)


def _rings(view: View, quads: Floats) -> Floats:
    """Return how colours just inside and outside differ, and how much the wall around looks like one wall."""
    points, across = along_sides(quads), normals(quads)[:, :, None]
    size = side_lengths(quads).min(axis=1)[:, None, None, None]
    near, far = np.clip(0.05 * size, 3, 6), np.clip(0.15 * size, 8, 18)
    inside, outside, wall = (at(view.lab, points + across * step) for step in (-near, near, far))
    contrast = np.linalg.norm(inside.mean(axis=2) - outside.mean(axis=2), axis=2)
    pointwise = np.linalg.norm(inside - outside, axis=3).mean(axis=2)
    columns = [
        *np.sort(contrast, axis=1).T,
        *np.sort(pointwise, axis=1).T[[0, 3]],
        _spread(outside),
        _spread(wall),
        _spread(inside),
        np.linalg.norm(outside - wall, axis=3).mean(axis=(1, 2)),
        np.linalg.norm(outside.mean(axis=2) - wall.mean(axis=2), axis=2).max(axis=1),
        outside.std(axis=2).mean(axis=(1, 2)),
        inside.std(axis=2).mean(axis=(1, 2)),
        (inside[..., 0].mean(axis=(1, 2)) - outside[..., 0].mean(axis=(1, 2))),
    ]
    likely = np.log(_frequency(view))[:, :, None]
    columns += [at(likely, points + across * step)[..., 0].mean(axis=(1, 2)) for step in (-near, near, far)]
    return np.stack(columns, axis=1)


def _spread(ring: Floats) -> Floats:
    """Return (n,): the largest distance between the mean colours of any sides."""
    means = ring.mean(axis=2)
    return np.asarray(np.linalg.norm(means[:, :, None] - means[:, None], axis=3).max(axis=(1, 2)))


def _frequency(view: View) -> Floats:
    """Return (height, width): the share of the photograph that has the colour of each pixel, above 0."""
    low, high = view.lab.min(axis=(0, 1)), view.lab.max(axis=(0, 1))
    bins = ((view.lab - low) / np.maximum(high - low, 20.0) * (BINS - 1) + 0.5).astype(np.intp)
    index = (bins[:, :, 0] * BINS + bins[:, :, 1]) * BINS + bins[:, :, 2]
    counts = np.bincount(index.ravel(), minlength=BINS**3)
    return np.asarray((counts[index] + 1) / index.size)


def _inside(view: View, quads: Floats) -> Floats:
    """Return light, colour and detail of what is inside."""
    points = grid(quads, GRID)
    lab, edges = at(view.lab, points), np.abs(at(view.gradient, points))
    magnitude = np.linalg.norm(edges, axis=3)
    light, chroma = lab[..., 0], np.linalg.norm(lab[..., 1:], axis=3)
    columns = [
        light.mean(axis=(1, 2)),
        light.std(axis=(1, 2)),
        np.percentile(light, 5, axis=(1, 2)),
        np.percentile(light, 95, axis=(1, 2)),
        chroma.mean(axis=(1, 2)),
        lab[..., 1:].std(axis=(1, 2)).mean(axis=1),
        (magnitude > EDGE).mean(axis=(1, 2)),
        np.log1p(magnitude).mean(axis=(1, 2)),
        np.maximum(edges[..., 0], edges[..., 1]).sum(axis=(1, 2)) / (edges.sum(axis=(1, 2, 3)) + EPSILON),
        (light > 96).mean(axis=(1, 2)),  # noqa: PLR2004 -- nearly white
        _mirrored(lab, 2),
        _mirrored(lab, 1),
        light.std(axis=1).mean(axis=1),
        light.std(axis=2).mean(axis=1),
        np.abs(np.diff(lab, axis=1)).mean(axis=(1, 2, 3)),
        np.linalg.norm(lab[:, 3:-3, 3:-3].mean(axis=(1, 2)) - lab.mean(axis=(1, 2)), axis=1),
    ]
    return np.stack(columns, axis=1)


def _mirrored(lab: Floats, axis: int) -> Floats:
    """Return (n,): how much the inside differs from its mirror image, as a share of its variation."""
    difference = np.abs(lab - np.flip(lab, axis)).mean(axis=(1, 2, 3))
    return np.asarray(difference / (lab.std(axis=(1, 2)).mean(axis=1) + 1))


def _nested(view: View, quads: Floats) -> Floats:
    """Return how clear the clearest quadrilaterals with the same centre are: inside (a frame) and outside."""
    lengths = side_lengths(quads)
    extent = np.stack([lengths[:, 0::2].mean(axis=1), lengths[:, 1::2].mean(axis=1)], axis=1)
    frame = 2 * lengths.min(axis=1, keepdims=True) / extent
    inner = [_clearness(view, _shrunk(quads, 1 - share * frame)) for share in INSETS]
    outer = [_clearness(view, scaled_about_centre(quads, factor)) for factor in OUTSETS]
    inside, outside = np.stack(inner, axis=1), np.stack(outer, axis=1)
    columns = [inside.max(axis=1), np.array(INSETS)[inside.argmax(axis=1)], inside.mean(axis=1)]
    columns += [outside.max(axis=1), np.array(OUTSETS)[outside.argmax(axis=1)], outside.mean(axis=1)]
    return np.stack(columns, axis=1)


def _shrunk(quads: Floats, factors: Floats) -> Floats:
    """Return quadrilaterals that are shorter along their own two directions by (n, 2) factors."""
    u = np.stack([-factors[:, 0], factors[:, 0], factors[:, 0], -factors[:, 0]], axis=1) / 2 + 0.5
    v = np.stack([-factors[:, 1], -factors[:, 1], factors[:, 1], factors[:, 1]], axis=1) / 2 + 0.5
    u, v = u[:, :, None], v[:, :, None]
    top_left, top_right, bottom_right, bottom_left = (quads[:, None, corner] for corner in range(4))
    top, bottom = top_left + (top_right - top_left) * u, bottom_left + (bottom_right - bottom_left) * u
    return np.asarray(top + (bottom - top) * v)


def _clearness(view: View, quads: Floats) -> Floats:
    """Return (n,): mean share of edge of the three clearest sides."""
    shares = np.sort((edge_strength(view, quads) > EDGE).mean(axis=2), axis=1)
    return np.asarray(shares[:, 1:].mean(axis=1))


def _beyond(view: View, quads: Floats) -> Floats:
    """Return how far the sides go on as edges beyond the corners, as those of boards, bricks and floors do."""
    ends = np.roll(quads, -1, axis=1)
    shares = np.linspace(0.04, 0.2, 6)
    steps = (ends - quads)[:, :, None]
    after = ends[:, :, None] + steps * shares[:, None]
    before = quads[:, :, None] - steps * shares[:, None]
    across = normals(quads)[:, :, None, None]
    found = []
    for points in (before, after):
        offsets = points[..., None, :] + across * np.arange(-1.0, 2.0)[:, None]
        strength = np.abs((at(view.gradient, offsets) * across).sum(axis=-1)).max(axis=-1)
        found.append((strength > EDGE).mean(axis=2))
    shares_beyond = np.sort(np.concatenate(found, axis=1), axis=1)
    return np.asarray(np.stack([shares_beyond.mean(axis=1), shares_beyond[:, -1], shares_beyond[:, 4]], axis=1))


def _shape(view: View, quads: Floats) -> Floats:
    """Return size, proportions and place."""
    box, lengths = bounds(quads), side_lengths(quads)
    wide, high = lengths[:, 0::2].mean(axis=1), lengths[:, 1::2].mean(axis=1)
    extent = np.array([view.width, view.height])
    opposite = np.abs(np.log((lengths[:, :2] + 1) / (lengths[:, 2:] + 1))).max(axis=1)
    steps = np.roll(quads, -1, axis=1) - quads
    slope = np.abs(steps).min(axis=2) / (np.abs(steps).max(axis=2) + EPSILON)
    columns = [
        np.log(wide / high),
        np.abs(np.log(wide / high)),
        np.sqrt(areas(quads) / (view.height * view.width)),
        np.minimum(wide, high) / view.side,
        opposite,
        slope.max(axis=1),
        slope.min(axis=1),
        np.minimum(box[:, :2], extent - box[:, 2:]).min(axis=1) / view.side,
        (view.height - box[:, 3]) / view.height,
        box[:, 1] / view.height,
    ]
    return np.stack(columns, axis=1)


NAMES = (
    *(f"edge_share_{rank}" for rank in range(4)),
    *(f"edge_strength_{rank}" for rank in range(4)),
    "edge_variation",
    *(f"contrast_{rank}" for rank in range(4)),
    *("pointwise_contrast_least", "pointwise_contrast_most"),
    *("outside_spread", "wall_spread", "inside_spread", "outside_to_wall", "outside_to_wall_most"),
    *("outside_variation", "inside_ring_variation", "brighter_inside"),
    *("frequency_inside", "frequency_outside", "frequency_wall"),
    *("light", "light_variation", "light_least", "light_most", "chroma", "colour_variation"),
    *("detail_share", "detail", "axis_aligned", "white", "mirrored_across", "mirrored_down"),
    *("variation_down", "variation_across", "detail_fine", "middle"),
    *("frame", "frame_place", "frame_mean", "outer", "outer_place", "outer_mean"),
    *("beyond", "beyond_most", "beyond_middle"),
    *("aspect", "aspect_size", "size", "short_side", "foreshortening", "slope_most", "slope_least"),
    *("to_border", "to_bottom", "to_top"),
)
