"""Patterns for vessels, cloth and borders.

A pattern is a function of two coordinates, ``across`` and ``down`` (0 to 1 over the
object, more where it repeats), and of a generator that samples its counts and sizes.
It returns a bool mask that broadcasts to the shape of the coordinates.
"""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from art_pipeline.sources.sample.canvas import Canvas, Colour, Floats, Mask

Pattern = Callable[[Floats, Floats, np.random.Generator], Mask]


def ornament(canvas: Canvas, across: Floats, down: Floats, is_visible: bool = True) -> Floats:
    """Return one of the style's ornaments at these coordinates (broadcast together), float 0 or 1."""
    name = canvas.pick(canvas.style.ornaments)
    if is_visible and name in TERMS:
        canvas.shows(TERMS[name])
    mask = ORNAMENTS[name](across, down, canvas.rng)
    return np.broadcast_to(mask, np.broadcast_shapes(across.shape, down.shape)).astype(float)


def in_two_colours(ground: Colour, figure: Colour, mask: Floats) -> Floats:
    """Return ``ground`` where the mask ``(h, w)`` is 0, ``figure`` where it is 1; float64 ``(h, w, 3)``."""
    colours: Floats = ground + (figure - ground) * mask[..., None]
    return colours


def _repeated(values: Floats, phase: float = 0.0) -> Floats:
    """Return the position within a cell of length 1, -0.5 to 0.5."""
    position: Floats = np.mod(values + phase, 1) - 0.5
    return position


def _plain(_across: Floats, _down: Floats, _rng: np.random.Generator) -> Mask:
    return np.array(False)


def _bands(_across: Floats, down: Floats, rng: np.random.Generator) -> Mask:
    count = rng.integers(4, 10)
    return np.abs(_repeated(down * count, rng.uniform())) < rng.uniform(0.08, 0.2)


def _lozenges(across: Floats, down: Floats, rng: np.random.Generator) -> Mask:
    columns, rows = rng.integers(3, 7), rng.integers(4, 9)
    return np.abs(_repeated(across * columns)) + np.abs(_repeated(down * rows)) < rng.uniform(0.22, 0.42)


def _rosettes(across: Floats, down: Floats, rng: np.random.Generator) -> Mask:
    columns, rows, petals = rng.integers(2, 5), rng.integers(3, 7), rng.integers(5, 9)
    x, y = _repeated(across * columns), _repeated(down * rows)
    outline = 0.28 + 0.12 * np.cos(petals * np.arctan2(y, x))
    distance = np.hypot(x, y)
    petals_only: Mask = (distance < outline) & (distance > 0.1)
    return petals_only


def _meander(across: Floats, down: Floats, rng: np.random.Generator) -> Mask:
    """Three friezes of keys: a square frame with a tongue."""
    x, y = _repeated(across * rng.integers(4, 8)), _repeated(down * 3) / 0.2
    frame = np.abs(np.maximum(np.abs(x * 2), np.abs(y)) - 0.7) < 0.16
    tongue = (np.abs(y) < 0.15) & (x > 0)
    keys: Mask = (frame | tongue) & (np.abs(y) < 1)
    return keys


def _figures(across: Floats, down: Floats, rng: np.random.Generator) -> Mask:
    """A row of silhouettes between two lines."""
    columns, lean = rng.integers(2, 4), rng.uniform(-0.3, 0.3)
    x, y = _repeated(across * columns, rng.uniform()), (down - rng.uniform(0.42, 0.5)) / 0.2
    body = ((x - lean * y * 0.3) / 0.2) ** 2 + ((y - 0.25) / 0.75) ** 2 < 1
    head = (x / 0.12) ** 2 + ((y + 0.72) / 0.22) ** 2 < 1
    arm = (np.abs(y + 0.1 + 0.8 * x) < 0.09) & (np.abs(x) < 0.42)
    lines = np.abs(np.abs(y) - 1.15) < 0.06
    silhouettes: Mask = body | head | arm | lines
    return silhouettes


def _vines(across: Floats, down: Floats, rng: np.random.Generator) -> Mask:
    columns, rows = rng.integers(2, 4), rng.integers(3, 6)
    stem = np.abs(_repeated(down * rows + 0.25 * np.sin(2 * np.pi * columns * across))) < 0.07
    leaf = np.hypot(_repeated(across * columns * 2), _repeated(down * rows * 1.5)) < 0.2
    return stem | leaf


ORNAMENTS: Mapping[str, Pattern] = MappingProxyType(
    {
        "plain": _plain,
        "bands": _bands,
        "lozenges": _lozenges,
        "rosettes": _rosettes,
        "meander": _meander,
        "figures": _figures,
        "vines": _vines,
    }
)
# Ornament → term; the others show nothing.
TERMS: Mapping[str, str] = MappingProxyType(
    {
        "bands": "Stripes",
        "lozenges": "Lozenges",
        "rosettes": "Flowers",
        "meander": "Meanders",
        "figures": "Human Figures",
        "vines": "Vines",
    }
)
