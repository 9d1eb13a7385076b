"""Paintings: landscapes, portraits, still lifes and abstractions, painted to the edges."""

import numpy as np

from art_pipeline.sources.sample.canvas import Canvas, Colour
from art_pipeline.sources.sample.solids import vessel

_SKIN = np.array([1.0, 0.86, 0.74])  # times the light colour of a palette
_LIPS = np.array([150.0, 70.0, 60.0])


def landscape(c: Canvas) -> None:
    """Hills that darken towards the viewer, trees, sometimes a sun."""
    horizon = c.between(0.35, 0.62)
    _sky(c)
    _hills(c, horizon)
    c.shows("Trees")
    for _ in range(c.count(1, 6)):
        _tree(c, c.between(0, 1), c.between(horizon + 0.08, 0.95))


def _sky(c: Canvas) -> None:
    p = c.palette
    c.gradient(p.light * c.between(0.8, 1.05), p.ground)
    c.cloud(c.between(4, 16), 6)
    if c.chance(0.5):
        c.shows("Suns")
        c.sphere((c.between(0.15, 0.85), c.between(0.1, 0.3)), c.between(0.03, 0.07), p.light * 1.1)


def _hills(c: Canvas, horizon: float) -> None:
    p, layers = c.palette, c.count(2, 4)
    for layer in range(layers):
        nearness = (layer + 1) / layers
        ridge = c.wobbly_line(horizon + (0.85 - horizon) * layer / layers, c.count(3, 8), 0.05)
        green = p.ground * (1 - nearness) + p.middle * nearness * c.between(0.7, 1.1)
        c.fill([*ridge, (1.1, 1.1), (-0.1, 1.1)], green)


def _tree(c: Canvas, x: float, foot: float) -> None:
    p, size = c.palette, 0.9 * (foot - 0.3) * c.between(0.5, 1)
    c.stroke([(x, foot), (x + c.between(-0.02, 0.02), foot - size * 0.6)], p.dark, 0.015 * size / 0.3)
    for _ in range(14):
        at = (x + c.rng.normal(0, size * 0.2), foot - size * c.between(0.45, 1))
        leaf = p.dark * 0.5 + p.middle * c.between(0.3, 0.75)
        c.oval(at, (size * c.between(0.05, 0.12), size * c.between(0.04, 0.09)), leaf)


def portrait(c: Canvas) -> None:
    """A head and shoulders before a dark ground."""
    p = c.palette
    at, radius = np.array([c.between(0.42, 0.58), c.between(0.3, 0.4)]), c.between(0.11, 0.17)
    size = np.array([radius * c.height / c.width, radius])  # of the head: it stays round on any canvas
    c.gradient(p.dark * c.between(0.8, 1.5), p.dark * c.between(0.5, 1.1))
    c.cloud(6)
    _sitter(c, at, size)
    _features(c, at, size)
    if c.chance(0.6):
        c.shows("Collars")
        collar = c.between(0.7, 1.1), c.between(0.2, 0.45)
        c.oval(at + size * (0, 1.45), size * collar, p.light * 0.95)


def _sitter(c: Canvas, at: np.ndarray, size: np.ndarray) -> None:
    """Shoulders, neck, hair and a face without features."""
    p, skin = c.palette, c.palette.light * _SKIN
    c.oval(at + size * (0, 4.2), size * (2.4, 2.8), c.pick((p.accent, p.middle, p.dark * 1.2)))
    neck = np.array([(-0.4, 0.6), (0.4, 0.6), (0.5, 1.6), (-0.5, 1.6)])
    c.fill(neck * size + at, skin * 0.75)
    c.oval(at + size * (0, -0.2), size * (0.95, 1.2), p.dark * c.between(0.4, 1.2))
    for step in (0, 1, 2):
        radii = size * (0.72 - 0.16 * step, 1 - 0.2 * step)
        c.oval(at + size * (-0.07 * step, 0), radii, skin * (0.78 + 0.12 * step))


def _features(c: Canvas, at: np.ndarray, size: np.ndarray) -> None:
    p, skin = c.palette, c.palette.light * _SKIN
    for side in (-1, 1):
        c.oval(at + size * (side * 0.3, -0.12), size * (0.12, 0.06), p.dark * 0.6)
    nose = np.array([(0, -0.1), (-0.1, 0.3), (0.05, 0.32)])
    c.stroke(at + size * nose, skin * 0.6, 0.008)
    c.oval(at + size * (0, 0.55), size * (0.22, 0.06), _LIPS)


def still_life(c: Canvas) -> None:
    """Vessels and fruit on a table with a cloth."""
    p, edge = c.palette, c.between(0.55, 0.7)
    _table(c, edge)
    for _ in range(c.count(1, 2)):
        vessel(c, (c.between(0.2, 0.8), edge + 0.12), c.between(0.3, 0.5), p.ground, p.accent)
    c.shows("Fruit")
    for _ in range(c.count(3, 8)):
        colour = c.pick((p.accent, p.light, p.ground, p.accent * 0.7))
        c.sphere((c.between(0.12, 0.88), edge + c.between(0.08, 0.24)), c.between(0.04, 0.085), colour)


def _table(c: Canvas, edge: float) -> None:
    p = c.palette
    c.gradient(p.dark * c.between(0.6, 1.3), p.dark * c.between(1, 1.8))
    c.fill([(-0.1, edge), (1.1, edge + c.rng.normal(0, 0.02)), (1.1, 1.1), (-0.1, 1.1)], p.middle)
    c.cloud(6)
    hem = c.wobbly_line(edge + 0.1, 6, 0.03)[8:26]
    c.fill([*hem, (c.between(0.6, 0.9), 1.1), (0.3, 1.1)], p.light * 0.9)


def abstraction(c: Canvas) -> None:
    """Blocks, discs, wedges and bars on a plain ground, often splashed over."""
    p = c.palette
    c.gradient(p.ground, p.ground)
    for _ in range(c.count(6, 14)):
        x, y, wide, high = c.rng.uniform((0, 0, 0.08, 0.08), (0.9, 0.9, 0.4, 0.4))
        colour = c.pick(p)
        paint, term = c.pick(_FORMS)
        c.shows(term)
        paint(c, np.array([x, y]), np.array([wide, high]), colour)
    if c.chance(0.6):
        c.shows("Splashes")
        _splashes(c)


def _block(c: Canvas, at: np.ndarray, size: np.ndarray, colour: Colour) -> None:
    c.fill([at, at + size * (1, 0), at + size, at + size * (0, 1)], colour)


def _disc(c: Canvas, at: np.ndarray, size: np.ndarray, colour: Colour) -> None:
    radius = size[0] / 2
    c.oval(at, (radius, radius * c.width / c.height), colour)


def _wedge(c: Canvas, at: np.ndarray, size: np.ndarray, colour: Colour) -> None:
    wide, high = size
    right = at + np.array([wide, c.between(-high, high)])
    below = at + np.array([c.between(-wide, wide), high])
    c.fill([at, right, below], colour)


def _bar(c: Canvas, at: np.ndarray, _size: np.ndarray, colour: Colour) -> None:
    c.stroke([at, at + c.rng.normal(0, 0.4, 2)], colour, c.between(0.01, 0.05))


_FORMS = ((_block, "Rectangles"), (_disc, "Circles"), (_wedge, "Triangles"), (_bar, "Lines"))


def _splashes(c: Canvas) -> None:
    """Drops around a place, and a thread of paint, in each of three colours."""
    for colour in (c.palette.dark, c.palette.accent, c.palette.light):
        for at in c.rng.normal((c.between(0.2, 0.8), c.between(0.2, 0.8)), 0.2, (25, 2)):
            size = c.rng.exponential(0.008) + 0.004
            c.oval(at, (size, size * c.width / c.height), colour)
        thread = np.cumsum(c.rng.normal(0, 0.07, (18, 2)), axis=0) + c.rng.uniform(0.2, 0.8, 2)
        c.stroke(thread, colour, c.between(0.004, 0.012))
