"""Solid objects before a backdrop, the parts of several scenes."""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
from types import MappingProxyType

import cv2
import numpy as np

from art_pipeline.sources.sample.canvas import Canvas, Colour, Floats, clipped, hex_colours
from art_pipeline.sources.sample.ornaments import ornament

# Half-widths of vessels from rim to foot, as shares of the widest.
_PROFILES = MappingProxyType(
    {
        "amphora": (0.42, 0.34, 0.3, 0.62, 0.95, 1, 0.9, 0.66, 0.4, 0.24, 0.34),
        "bowl": (1, 0.98, 0.93, 0.84, 0.7, 0.5, 0.3, 0.3, 0.42),
        "bottle": (0.24, 0.2, 0.17, 0.18, 0.24, 0.6, 0.9, 1, 0.94, 0.78, 0.6),
        "jar": (0.55, 0.5, 0.74, 0.95, 1, 0.98, 0.88, 0.74, 0.6, 0.55),
        "goblet": (0.8, 0.9, 0.98, 1, 0.85, 0.5, 0.16, 0.13, 0.16, 0.5, 0.62),
    }
)
_WIDTHS = MappingProxyType({"bowl": 0.85, "bottle": 0.32, "goblet": 0.36})  # widest half, in heights
_USUAL_WIDTH = 0.4
_TERMS = MappingProxyType(
    {"amphora": "Amphorae", "bowl": "Bowls", "bottle": "Bottles", "jar": "Jars", "goblet": "Goblets"}
)
_WITH_HANDLES = ("amphora", "jar")


def backdrop(canvas: Canvas) -> None:
    """Paint studio paper with a soft shadow where the object will be."""
    tone = canvas.pick([*hex_colours(canvas.style.backdrop)]) + canvas.rng.normal(0, 8)
    canvas.gradient(tone * canvas.between(0.7, 1.1), tone * canvas.between(0.85, 1.2))
    across = (np.arange(canvas.width) / canvas.width - canvas.between(0.45, 0.6)) / canvas.between(0.2, 0.35)
    down = (np.arange(canvas.height) / canvas.height - 0.88) / 0.05
    shadow = 1 - 0.45 * np.exp(-(down[:, None] ** 2)) * np.exp(-(across[None, :] ** 2))
    canvas.pixels[:] = canvas.pixels * shadow[..., None].astype(np.float32)


def vessel(canvas: Canvas, at: tuple[float, float], height: float, body: Colour, figures: Colour) -> None:
    """A turned vessel of some shape.

    Args:
        canvas: What it is painted on.
        at: The middle of its foot, fractions of width and height.
        height: A fraction of the height; bowls are lower.
        body: Its colour.
        figures: The colour of its ornament.
    """
    name = canvas.pick(tuple(_PROFILES))
    canvas.shows(_TERMS[name])
    tall = max(12, round(height * canvas.height * (0.62 if name == "bowl" else 1)))
    wide = tall * _WIDTHS.get(name, _USUAL_WIDTH) * canvas.between(0.8, 1.2)
    profile = np.array(_PROFILES[name]) * canvas.rng.uniform(0.9, 1.1, len(_PROFILES[name]))
    middle, top = at[0] * canvas.width, at[1] * canvas.height - tall
    if name in _WITH_HANDLES and canvas.chance(0.7):
        _handles(canvas, (middle, top + tall * 0.3), (wide * 0.95, tall * 0.2), body * 0.7)
    turned(canvas, (middle, top), _smooth(wide, profile, tall), body, figures)


def _smooth(wide: float, profile: Floats, tall: int) -> Floats:
    """Return the half-width of every row, pixels, float64 ``(tall,)``."""
    half = wide * np.interp(np.linspace(0, 1, tall), np.linspace(0, 1, len(profile)), profile)
    smooth = cv2.GaussianBlur(half[:, None], (1, 0), 1, sigmaY=tall / 40)
    return smooth[:, 0].astype(float, copy=False)


def _handles(canvas: Canvas, centre: tuple[float, float], radii: tuple[float, float], colour: Colour) -> None:
    """Paint a ring, of which the vessel's body will cover all but two ends; in pixels."""
    place = tuple(int(part) for part in centre), tuple(int(part) for part in radii)
    thick = max(2, int(radii[0] / 9))
    cv2.ellipse(canvas.pixels, *place, 0, 0, 360, clipped(colour), thick, cv2.LINE_AA)


def turned(canvas: Canvas, top: tuple[float, float], half: Floats, body: Colour, figures: Colour) -> None:
    """A solid of revolution, lit from the left, with an ornament of the style around it.

    Args:
        canvas: What it is painted on.
        top: The middle of its upper end, x and y in pixels.
        half: The half-width of every row, pixels.
        body: Its colour.
        figures: The colour of its ornament; that of the body for none.
    """
    reach = int(half.max()) + 2
    u = np.arange(-reach, reach + 1)[None, :] / half[:, None]  # -1 and 1 at the outline
    down = np.linspace(0, 1, len(half))[:, None]
    around = np.arcsin(np.clip(u, -1, 1)) / np.pi * 2 * 0.5 + 0.5
    mask = ornament(canvas, around, down, not np.array_equal(body, figures))[..., None]
    gloss = canvas.between(0.1, 0.6)
    shine = 255 * gloss * np.exp(-(((u + 0.45) / 0.12) ** 2)) * (down > 0.08)
    colours = (body * (1 - mask) + figures * mask) * _shade(u)[..., None] + shine[..., None]
    coverage = np.clip((1 - np.abs(u)) * half[:, None] + 0.5, 0, 1)
    canvas.blend((round(top[0]) - reach, round(top[1])), colours, coverage)


def _shade(u: Floats) -> Floats:
    shade: Floats = 0.45 + 0.6 * np.sqrt(np.clip(1 - (np.clip(u, -1, 1) + 0.3) ** 2, 0, 1))
    return shade
