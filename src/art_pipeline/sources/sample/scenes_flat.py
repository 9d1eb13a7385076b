"""Carpets and painted reliefs: flat objects, photographed from edge to edge."""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
import numpy as np

from art_pipeline.sources.sample.canvas import Canvas
from art_pipeline.sources.sample.ornaments import in_two_colours, ornament

# Strokes of each sign, in a square from -1 to 1.
_REED = (((0, 1), (0, -1), (0.5, -0.6), (0.1, 0.1)),)
_WATER = (((-1, 0), (-0.6, -0.5), (-0.2, 0), (0.2, -0.5), (0.6, 0), (1, -0.5)),)
_BIRD = (
    ((-1, 0.7), (0.2, 0.3), (0.5, -0.4), (0.9, -0.6), (0.4, -0.9), (0.1, -0.5), (-1, 0.7)),
    ((0, 0.4), (0, 1)),
)
_EYE = (((-1, 0), (0, -0.6), (1, 0), (0, 0.5), (-1, 0)), ((-0.1, 0), (0.15, 0)), ((0, 0.5), (-0.3, 1)))
_LOOP = (((0, 1), (0, 0), (-0.5, -0.7), (0, -1), (0.5, -0.7), (0, 0)), ((-0.6, 0.1), (0.6, 0.1)))
_HOUSE = (((-0.8, 0.8), (-0.8, -0.7), (0.8, -0.7), (0.8, 0.8), (0.2, 0.8)),)
_SIGNS = ((_REED, ""), (_WATER, ""), (_BIRD, "Birds"), (_EYE, "Eyes"), (_LOOP, ""), (_HOUSE, ""))


def carpet(c: Canvas) -> None:
    """A field, a border and a rimmed medallion, each with an ornament; symmetric in both directions."""
    p = c.palette
    y = np.abs(np.linspace(-1, 1, c.height))[:, None]
    x = np.abs(np.linspace(-1, 1, c.width))[None, :]
    from_edge = np.minimum((1 - x) * c.width, (1 - y) * c.height) / min(c.height, c.width)
    power = c.between(0.8, 2.2)  # of the medallion's outline: below 1 a star, 1 a rhomb, 2 an ellipse
    image = in_two_colours(p.accent, p.ground, ornament(c, x, y))
    border = in_two_colours(p.dark, p.light, ornament(c, x * 2, y * 2))
    medallion = in_two_colours(p.middle, p.light, ornament(c, x * 1.5, y * 1.5))
    ring = (x / c.between(0.35, 0.7)) ** power + (y / c.between(0.35, 0.7)) ** power
    image[ring < 1] = medallion[ring < 1]
    image[np.abs(ring - 1) < 0.08] = p.light
    at_edge = from_edge < c.between(0.14, 0.3)
    image[at_edge] = border[at_edge]
    c.pixels[:] = np.clip(image, 0, 255)


def relief(c: Canvas) -> None:
    """Columns of carved and painted signs, separated by lines."""
    p, columns = c.palette, c.count(3, 6)
    c.gradient(p.ground * 1.05, p.ground * 0.9)
    c.cloud(9, 7)
    cell = np.array([1, c.width / c.height]) / columns
    for row in range(int(c.ratio * columns)):
        for column in range(columns):
            _sign(c, (np.array([column, row]) + 0.5) * cell, cell * 0.36)
    for column in range(columns + 1):
        c.stroke([(column / columns, 0), (column / columns, 1)], p.dark, 0.008)


def _sign(c: Canvas, at: np.ndarray, size: np.ndarray) -> None:
    p = c.palette
    colour = c.pick((p.dark, p.dark, p.accent, p.middle))
    facing = (c.pick((-1, 1)), 1)
    sign, term = c.pick(_SIGNS)
    if term:
        c.shows(term)
    for strokes in sign:
        path = np.array(strokes) * facing * size + at
        c.stroke(path + 0.006, p.light, 0.014)  # the lit edge of the carving
        c.stroke(path, colour, 0.014)
