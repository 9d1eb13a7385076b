"""The canvas that works are painted on, and its photograph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

T = TypeVar("T")
Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Colour = Floats  # (3,), RGB, 0 to 255; clipped when it is painted

_SHIFT = 4  # OpenCV's fixed-point bits: outlines are placed to a sixteenth of a pixel
_CORNERS_OF_AN_OVAL = 28


@dataclass(frozen=True)
class Style:
    """Style of a department's works.

    Attributes:
        palettes: Each five RGB colours in hex, separated by blanks: ground, dark, middle, light, accent.
        ornaments: Names of `ORNAMENTS` for vessels, cloth and borders.
        surface: ``canvas``, ``paper``, ``stone`` or ``smooth``.
        backdrop: The grey or coloured papers behind photographed objects, in hex, separated by blanks.
    """

    palettes: tuple[str, ...]
    ornaments: tuple[str, ...]
    surface: str
    backdrop: str = "b9b7b2 6f7074 d9d6cf 3c3d42"


class Palette(NamedTuple):
    """Five colours, each float64 ``(3,)``, RGB, 0 to 255."""

    ground: Colour
    dark: Colour
    middle: Colour
    light: Colour
    accent: Colour


class Canvas:
    """RGB ``pixels`` (uint8, height x width x 3) addressed by fractions of width and height.

    Scenes add what they paint to ``shown``, in the terms of the records' tags. It does not depend on ``scale``.

    Args:
        shape: Height and width of the work in pixels.
        rng: The work's own generator; every sample below advances it.
        style: The department's style; the work's ``palette`` is sampled from it.
        scale: Scale of the canvas, which may be smaller than the work.
    """

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator, style: Style, scale: float = 1.0):
        self.height, self.width = (max(1, round(side * scale)) for side in shape)
        self.ratio = shape[0] / shape[1]
        self.pixels = np.zeros((self.height, self.width, 3), np.uint8)
        self.shown: set[str] = set()
        self.rng, self.style = rng, style
        self.palette = _draw_palette(style, rng)

    def between(self, low: float, high: float) -> float:
        """Sample a number uniformly."""
        return float(self.rng.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """Sample an integer from ``low`` to ``high``, inclusive."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        """Sample True with this probability."""
        return bool(self.rng.random() < share)

    def pick(self, things: Sequence[T]) -> T:
        """Sample one element; an element that is listed twice is twice as likely."""
        return things[int(self.rng.integers(len(things)))]

    def shows(self, term: str) -> None:
        """Add a term to what is shown."""
        self.shown.add(term)

    def fill(self, xy: ArrayLike, colour: Colour) -> None:
        """Fill the polygon ``xy`` (fractions, ``(n, 2)``)."""
        cv2.fillPoly(self.pixels, [self._points(xy)], clipped(colour), cv2.LINE_AA, _SHIFT)

    def stroke(self, xy: ArrayLike, colour: Colour, width: float = 0.004) -> None:
        """Draw the open line ``xy``; ``width`` is a fraction of the shorter side."""
        thick = max(1, round(width * min(self.height, self.width)))
        cv2.polylines(self.pixels, [self._points(xy)], False, clipped(colour), thick, cv2.LINE_AA, _SHIFT)

    def oval(self, centre: ArrayLike, radii: ArrayLike, colour: Colour) -> None:
        """Fill an ellipse; ``radii`` are fractions of width and height."""
        turn = np.linspace(0, 2 * np.pi, _CORNERS_OF_AN_OVAL, endpoint=False)
        self.fill(np.stack([np.cos(turn), np.sin(turn)], 1) * np.asarray(radii) + np.asarray(centre), colour)

    def sphere(self, centre: tuple[float, float], radius: float, colour: Colour) -> None:
        """A ball lit from the upper left; ``radius`` is a fraction of the height."""
        wide = radius * self.height / self.width
        for step, shade in enumerate((0.55, 0.8, 1.0, 1.25)):
            off, size = 0.12 * step * radius, 1 - 0.22 * step
            self.oval((centre[0] - off, centre[1] - off), (wide * size, radius * size), colour * shade)

    def gradient(self, top: Colour, bottom: Colour) -> None:
        """Cover everything with a vertical gradient."""
        ramp = np.linspace(0, 1, self.height)[:, None, None]
        self.pixels[:] = np.clip(top * (1 - ramp) + bottom * ramp, 0, 255)

    def cloud(self, strength: float, cells: int = 5) -> None:
        """Lighten and darken in soft patches; ``strength`` is a standard deviation, 0 to 255."""
        patches = self.soft_noise(cells) * strength
        self.pixels[:] = np.clip(self.pixels + patches[..., None], 0, 255)

    def blend(self, corner: tuple[int, int], colours: Floats, alpha: Floats) -> None:
        """Lay ``colours`` (h, w, 3) over the pixels at ``corner`` (x, y pixels), clipped to the canvas."""
        x, y = max(corner[0], 0), max(corner[1], 0)
        inside = slice(y - corner[1], self.height - corner[1]), slice(x - corner[0], self.width - corner[0])
        colours, alpha = colours[inside], alpha[inside][..., None]
        spot = self.pixels[y : y + len(alpha), x : x + alpha.shape[1]]
        spot[:] = np.clip(spot * (1 - alpha) + colours * alpha, 0, 255)

    def wobbly_line(self, start: float, knots: int, swing: float) -> Floats:
        """A line from left to right around the height ``start``, fractions ``(33, 2)``."""
        x = np.linspace(-0.05, 1.05, 33)
        heights = self.rng.normal(0, swing, knots + 2)
        return np.stack([x, start + np.interp(x, np.linspace(-0.05, 1.05, knots + 2), heights)], 1)

    def soft_noise(self, cells: int) -> NDArray[np.float32]:
        """Return normal noise of ``cells`` x ``cells`` patches, interpolated, float32 ``(h, w)``."""
        coarse = self.rng.standard_normal((cells, cells)).astype(np.float32)
        noise = cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        return noise.astype(np.float32, copy=False)

    def _points(self, xy: ArrayLike) -> NDArray[np.int32]:
        """Convert fractions ``(n, 2)`` to OpenCV's fixed-point pixels, int32."""
        size = np.array([self.width, self.height]) * (1 << _SHIFT)
        points: Floats = np.round(np.asarray(xy, float).reshape(-1, 2) * size)
        return points.astype(np.int32)


def hex_colours(text: str) -> Floats:
    """Convert hex colours, separated by blanks, to float64 ``(n, 3)``."""
    return np.array([list(bytes.fromhex(word)) for word in text.split()], float)


def clipped(colour: Colour) -> tuple[float, ...]:
    """Convert a colour to what OpenCV expects."""
    return tuple(float(part) for part in np.clip(colour, 0, 255))


def _draw_palette(style: Style, rng: np.random.Generator) -> Palette:
    """Sample one of the style's palettes, with its colours shifted: no two works share it."""
    colours = hex_colours(style.palettes[int(rng.integers(len(style.palettes)))])
    brighter, hue, common = rng.normal(0, 13, (5, 1)), rng.normal(0, 6, (5, 3)), rng.normal(0, 6, 3)
    return Palette(*np.clip(colours + brighter + hue + common, 4, 250))


def photograph(canvas: Canvas, tint: ArrayLike) -> NDArray[np.uint8]:
    """Apply surface, lighting, white balance, focus and sensor noise: what differs between photographs.

    Args:
        canvas: The painted work; its generator advances, its pixels do not change.
        tint: Added to red, green and blue.

    Returns:
        RGB uint8 ``(height, width, 3)``.
    """
    rng, (height, width) = canvas.rng, canvas.pixels.shape[:2]
    image = cv2.GaussianBlur(canvas.pixels, (0, 0), rng.uniform(0.35, 0.9)).astype(np.float32)
    light = _draw_light(canvas)
    grain = rng.standard_normal((height, width), np.float32) * rng.uniform(1.5, 5)
    image *= (light * rng.uniform(0.82, 1.14)).astype(np.float32)[..., None]
    image += np.asarray(tint, np.float32) + rng.normal(0, 5, 3).astype(np.float32)
    image += (grain + _draw_surface(canvas))[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


def _draw_light(canvas: Canvas) -> Floats:
    """Sample light that falls off to one side, float64 ``(height, width)`` around 1."""
    tilt_x, tilt_y = canvas.rng.normal(0, 0.09, 2)
    down, across = np.linspace(-1, 1, canvas.height)[:, None], np.linspace(-1, 1, canvas.width)
    light: Floats = 1 + tilt_y * down + tilt_x * across
    return light


def _draw_surface(canvas: Canvas) -> NDArray[np.float32]:
    """Sample the relief of the ground, float32 ``(height, width)``, grey levels around zero."""
    return _SURFACES[canvas.style.surface](canvas, canvas.between(0.4, 1.3))


def _weave(canvas: Canvas, strength: float) -> NDArray[np.float32]:
    y, x = np.arange(canvas.height)[:, None], np.arange(canvas.width)[None, :]
    step = canvas.between(1.6, 2.6)
    relief: Floats = strength * 4 * (np.sin(x * step) + np.sin(y * step))
    return relief.astype(np.float32)


def _fibres(canvas: Canvas, strength: float) -> NDArray[np.float32]:
    return canvas.soft_noise(40) * np.float32(strength * 4)


def _tool_marks(canvas: Canvas, strength: float) -> NDArray[np.float32]:
    return canvas.soft_noise(24) * np.float32(strength * 7) + canvas.soft_noise(60) * np.float32(4)


def _no_relief(canvas: Canvas, _strength: float) -> NDArray[np.float32]:
    return np.zeros((canvas.height, canvas.width), np.float32)


_SURFACES = {"canvas": _weave, "paper": _fibres, "stone": _tool_marks, "smooth": _no_relief}
