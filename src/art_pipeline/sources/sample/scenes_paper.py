"""Works on paper: sketches in one ink, and hanging scrolls in washes."""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
from itertools import pairwise

import numpy as np

from art_pipeline.sources.sample.canvas import Canvas, Colour


def sketch(c: Canvas) -> None:
    """One to three subjects in lines, and hatching."""
    p = c.palette
    c.gradient(p.ground, p.ground * c.between(0.92, 1.02))
    c.cloud(3)
    legible = p.dark if p.ground.mean() > 110 else p.light  # on dark paper, white chalk
    ink = legible if c.chance(0.75) else p.accent
    for subject in c.rng.permutation(len(_SUBJECTS))[: c.count(1, 3)]:
        paint, term = _SUBJECTS[subject]
        c.shows(term)
        paint(c, ink)
    for _ in range(c.count(4, 10)):
        _hatching(c, (c.between(0.15, 0.85), c.between(0.2, 0.85)), ink)


def _hatching(c: Canvas, at: tuple[float, float], ink: Colour) -> None:
    """A round patch of parallel lines."""
    angle, size, gap = c.between(0.3, 1.3), c.between(0.05, 0.13), c.between(0.01, 0.022)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    for offset in np.arange(-size, size, gap):
        half = along * np.sqrt(size**2 - offset**2) * c.between(0.8, 1.1)
        middle = np.array(at) + across * offset
        c.stroke([middle - half, middle + half], ink)


def _land(c: Canvas, ink: Colour) -> None:
    for level in np.linspace(c.between(0.3, 0.5), 0.9, c.count(2, 4)):
        c.stroke(c.wobbly_line(level, c.count(3, 9), 0.04), ink, c.between(0.003, 0.012))
    for _ in range(c.count(1, 4)):
        x, foot = c.between(0.1, 0.9), c.between(0.5, 0.9)
        c.stroke([(x, foot), (x, foot - 0.2)], ink, 0.008)
        scribble = c.rng.normal((x, foot - 0.25), (0.05, 0.06), (24, 2))
        c.stroke(scribble[np.argsort(scribble[:, 1])], ink)


def _head(c: Canvas, ink: Colour) -> None:
    turn, size = np.linspace(0, 2 * np.pi, 30), c.between(0.1, 0.2)
    centre = np.array([c.between(0.3, 0.7), c.between(0.25, 0.45)])
    for stretch in (0.75, 0.72):  # two lines, as in a sketch
        loop = np.stack([stretch * np.cos(turn), np.sin(turn)], 1) * size
        c.stroke(loop + centre + c.rng.normal(0, 0.004, loop.shape), ink, 0.007)
    shoulders = np.stack([np.cos(turn[:16]) * 2.1, 2.9 - 1.7 * np.sin(turn[:16])], 1) * size
    c.stroke(centre + shoulders, ink, 0.009)
    for side in (-0.3, 0.3):
        eye = np.array([(side - 0.15, -0.1), (side, -0.16), (side + 0.15, -0.1)])
        c.stroke(centre + size * eye, ink, 0.006)


def _house(c: Canvas, ink: Colour) -> None:
    left, top = c.between(0.1, 0.5), c.between(0.35, 0.6)
    wide, high = c.between(0.2, 0.4), c.between(0.15, 0.35)
    walls = [(left, top), (left, top + high), (left + wide, top + high), (left + wide, top), (left, top)]
    gable = [(left + wide / 2, top - high / 2), (left + wide, top)]
    c.stroke([*walls, *gable], ink, 0.007)
    for column in np.linspace(left, left + wide, c.count(3, 5) + 1)[1:-1]:
        c.stroke([(column, top + high * 0.3), (column, top + high * 0.7)], ink, 0.02)


_SUBJECTS = ((_land, "Landscapes"), (_head, "Heads"), (_house, "Houses"))


def scroll(c: Canvas) -> None:
    """Mountains that fade into mist, bamboo, and a column of writing with a seal."""
    p = c.palette
    c.gradient(p.ground, p.ground * c.between(0.85, 1))
    c.cloud(5)
    for level in np.linspace(0.3, c.between(0.55, 0.8), c.count(1, 3)):
        _mountain(c, level)
    for _ in range(c.count(0, 4)):
        c.shows("Bamboo")
        _bamboo(c)
    _writing(c, c.between(0.08, 0.85), c.between(0.05, 0.2))


def _mountain(c: Canvas, level: float) -> None:
    """Five washes under one ridge, the first the strongest."""
    p, ridge = c.palette, c.wobbly_line(level, 7, 0.08)
    for wash in range(5):
        strength = 5 - wash
        tone = p.ground * (1 - 0.09 * strength) + (p.middle - p.ground) * 0.06 * strength
        c.fill([*np.add(ridge, (0, 0.035 * wash)), (1.1, level + 0.3), (-0.1, level + 0.3)], tone)


def _bamboo(c: Canvas) -> None:
    x, lean = c.between(0.1, 0.9), c.rng.normal(0, 0.05)
    joints = np.stack([x + lean * np.arange(6), np.linspace(1, c.between(0.2, 0.6), 6)], 1)
    for start, end in pairwise(joints):
        c.stroke([start, end * 0.95 + start * 0.05], c.palette.dark, 0.018)
        for _ in range(2):
            tip = end + c.rng.normal((0.06, 0.03), (0.08, 0.03))
            c.fill([end, (end + tip) / 2 + (0, 0.012), tip, (end + tip) / 2 - (0, 0.012)], c.palette.dark)


def _writing(c: Canvas, x: float, top: float) -> None:
    """Four to nine signs of four strokes each, one below another."""
    signs, size, step = c.count(4, 9), 0.028, 0.05
    for row in range(signs):
        for brush_stroke in c.rng.uniform(-size, size, (4, 2, 2)) * (1, 0.7) + (x, top + row * step):
            c.stroke(brush_stroke, c.palette.dark, 0.01)
    _seal(c, x, top + signs * step)


def _seal(c: Canvas, x: float, top: float) -> None:
    left, right, bottom = x - 0.02, x + 0.025, top + 0.03
    c.fill([(left, top), (right, top), (right, bottom), (left, bottom)], c.palette.accent)
