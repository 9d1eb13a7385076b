"""Single objects before a backdrop: vessels, busts, arms, lutes, dresses, chests of drawers."""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
from itertools import pairwise

import numpy as np

from art_pipeline.sources.sample.canvas import Canvas, Colour
from art_pipeline.sources.sample.ornaments import in_two_colours, ornament
from art_pipeline.sources.sample.solids import backdrop, turned, vessel

# The parts of a bust, in units of its head: where each begins below the top, how long it is, and
# its half-widths from top to bottom. From back to front: foot, neck and shoulders, head.
_BUST = (
    (1.62, 0.75, (0.22, 0.25, 0.2, 0.25, 0.45, 0.5)),
    (0.85, 0.85, (0.24, 0.24, 0.26, 0.5, 0.72, 0.82, 0.78, 0.66, 0.5, 0.3)),
    (0.0, 1.0, (0.1, 0.31, 0.38, 0.39, 0.37, 0.35, 0.32, 0.25, 0.14)),
)
_DRESS = (0.16, 0.2, 0.17, 0.13, 0.12, 0.2, 0.26, 0.3, 0.34, 0.37, 0.4)  # half-widths from top to hem
_SLEEVE = np.array([(0.08, 0.2), (0.2, 0.5), (0.15, 0.52), (0.04, 0.3)])


def single_vessel(c: Canvas) -> None:
    """One vessel in the middle."""
    backdrop(c)
    p = c.palette
    colours = (p.ground, p.dark) if c.chance(0.6) else (p.middle, p.accent)
    vessel(c, (c.between(0.45, 0.55), c.between(0.84, 0.9)), c.between(0.55, 0.74), *colours)


def bust(c: Canvas) -> None:
    """A head and shoulders of stone, on a foot."""
    backdrop(c)
    p = c.palette
    stone = c.pick((p.light, p.ground, p.ground * 0.6))
    unit, x, top = c.between(0.26, 0.32), c.between(0.46, 0.54), c.between(0.1, 0.15)
    for start, length, outline in _BUST:
        knots = np.array(outline) * c.rng.uniform(0.92, 1.1, len(outline))
        rows = np.linspace(0, len(knots) - 1, round(length * unit * c.height))
        half = np.interp(rows, np.arange(len(knots)), knots) * unit * c.height
        turned(c, (x * c.width, (top + start * unit) * c.height), half, stone, stone)
    _face(c, np.array([x, top + 0.48 * unit]), np.array([unit * c.height / c.width, unit]), stone)


def _face(c: Canvas, at: np.ndarray, size: np.ndarray, stone: Colour) -> None:
    """Eyes and brows, nose, mouth, and often curls; all shifted to one side as the head turns."""
    turn = c.between(-0.08, 0.08)
    for side in (-1, 1):
        c.oval(at + size * (turn + side * 0.15, 0), size * (0.085, 0.045), stone * 0.45)
        brow = np.array([(turn + side * 0.05, -0.1), (turn + side * 0.26, -0.09)])
        c.stroke(at + size * brow, stone * 0.5, 0.012)
    c.stroke(at + size * np.array([(turn, 0), (turn - 0.06, 0.2), (turn + 0.05, 0.21)]), stone * 0.5, 0.01)
    c.stroke(at + size * np.array([(turn - 0.1, 0.32), (turn + 0.1, 0.32)]), stone * 0.45, 0.014)
    if c.chance(0.5):
        c.shows("Curls")
        for curl in np.linspace(-0.36, 0.36, 7):
            c.oval(at + size * (curl, -0.32 + 0.5 * curl**2), size * 0.09, stone * c.between(0.6, 0.9))


def arms(c: Canvas) -> None:
    """A sword, a shield or a helmet."""
    backdrop(c)
    paint, term = c.pick(((_sword, "Swords"), (_shield, "Shields"), (_helmet, "Helmets")))
    c.shows(term)
    paint(c)


def _sword(c: Canvas) -> None:
    p, angle, wide = c.palette, c.between(-0.6, 0.6), c.between(0.012, 0.03)
    along = np.array([np.sin(angle) * c.height / c.width, -np.cos(angle)])
    across = np.array([along[1] * -c.height / c.width, along[0] * c.width / c.height])
    middle = np.array([0.5, 0.68])
    hilt, tip = middle - along * 0.02, middle + along * 0.58
    bend = across * c.rng.normal(0, 0.05)
    for side, shade in ((1, 1.0), (-1, 0.7)):
        edge = across * wide * side
        c.fill([hilt, hilt + edge, (hilt + tip) / 2 + bend + edge, tip], p.light * shade)
    c.stroke([hilt, hilt - along * 0.16], p.dark, 0.045)
    c.stroke([hilt - across * 0.1, hilt, hilt + across * 0.1], p.accent, 0.028)
    c.oval(hilt - along * 0.17, (0.03, 0.025), p.accent)


def _shield(c: Canvas) -> None:
    p, size = c.palette, c.between(0.28, 0.36)
    y = (np.arange(c.height) / c.height - 0.48)[:, None] / size
    x = ((np.arange(c.width) - c.width / 2) / c.height)[None, :] / size
    radius, turn = np.hypot(x, y), np.arctan2(y, x) / np.pi
    colours = in_two_colours(p.middle, p.accent, ornament(c, np.abs(turn) * 2, radius))
    colours[(radius > 0.9) | (radius < 0.16)] = p.light  # rim and boss
    shade = 0.75 + 0.35 * np.exp(-((x + 0.4) ** 2 + (y + 0.4) ** 2) / 0.5)
    c.blend((0, 0), colours * shade[..., None], np.clip((1 - radius) * size * c.height + 0.5, 0, 1))


def _helmet(c: Canvas) -> None:
    p, crown = c.palette, c.between(0.5, 0.9)
    rows = np.linspace(0, 1, round(c.between(0.45, 0.6) * c.height))
    half = (0.25 * np.clip(rows / 0.45, 0.01, 1) ** crown + 0.05 * np.clip(rows - 0.8, 0, 1) * 5) * c.height
    turned(c, (c.width / 2, 0.2 * c.height), half, p.light, p.middle)
    c.fill([(0.36, 0.47), (0.62, 0.47), (0.62, 0.5), (0.36, 0.5)], p.dark * 0.5)
    for x in np.linspace(0.36, 0.62, 6):
        c.oval((x, 0.56), (0.008, 0.008), p.dark * 0.6)


def lute(c: Canvas) -> None:
    """A lute with a waist, upright."""
    backdrop(c)
    p, waist = c.palette, c.between(0.12, 0.2)
    c.fill([(0.475, 0.12), (0.525, 0.12), (0.53, 0.6), (0.47, 0.6)], p.dark)
    for y, radius in ((c.between(0.48, 0.54), waist * 0.85), (0.68, waist)):
        for step in (1.0, 0.93):
            radii = radius * c.height / c.width * step, radius * step
            c.oval((0.5, y), radii, p.middle * (2.1 - 1.1 * step) * step)
    c.oval((0.5, 0.58), (0.06, 0.06 * c.width / c.height), p.dark * 0.5)
    for x in np.linspace(0.48, 0.52, c.count(3, 6)):
        c.stroke([(x, 0.1), (x, 0.78)], p.light)
    c.stroke([(0.42, 0.78), (0.58, 0.78)], p.dark, 0.02)


def dress(c: Canvas) -> None:
    """A dress with sleeves, from the front."""
    backdrop(c)
    p, outline = c.palette, np.array(_DRESS) * c.rng.uniform(0.85, 1.15, len(_DRESS))
    rows = np.linspace(0, 1, round(0.7 * c.height))
    half = np.interp(rows, np.linspace(0, 1, len(_DRESS)), outline) * 0.7 * c.height
    for side in (-1, 1):
        c.fill(_SLEEVE * (side * c.height / c.width, 1) + (0.5, 0), p.middle * 0.8)
    turned(c, (c.width / 2, 0.17 * c.height), half, p.middle, p.accent)


def chest(c: Canvas) -> None:
    """A chest with two to five drawers, seen from the front and a little from the right."""
    backdrop(c)
    left, top, wide = c.between(0.2, 0.3), c.between(0.22, 0.45), c.between(0.42, 0.52)
    _carcass(c, left, top, wide)
    edges = np.linspace(top + 0.02, 0.78, c.count(2, 5) + 1)
    for upper, lower in pairwise(edges):
        _drawer(c, (left, left + wide), (upper, lower))


def _carcass(c: Canvas, left: float, top: float, wide: float) -> None:
    p, right, back = c.palette, left + wide, top - 0.04
    c.fill([(left, top), (right, top), (right, 0.8), (left, 0.8)], p.middle)
    c.fill([(right, top), (right + 0.06, back), (right + 0.06, 0.74), (right, 0.8)], p.middle * 0.6)
    c.fill([(left, top), (left + 0.06, back), (right + 0.06, back), (right, top)], p.middle * 1.25)
    for leg in (left + 0.02, right - 0.02):
        c.stroke([(leg, 0.8), (leg, 0.9)], p.dark, 0.03)


def _drawer(c: Canvas, across: tuple[float, float], down: tuple[float, float]) -> None:
    """A frame and two knobs between these edges."""
    (left, right), (upper, lower) = across, down
    x, y = (left + 0.03, right - 0.03), (upper + 0.01, lower - 0.01)
    frame = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0])]
    c.stroke(frame, c.palette.dark, 0.012)
    for knob in (0.3, 0.7):
        c.oval((left + (right - left) * knob, (upper + lower) / 2), (0.014, 0.011), c.palette.accent)
