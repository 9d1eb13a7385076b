"""Works as they hang on a wall: images in frames, with shadows and glass."""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
from dataclasses import dataclass

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.rooms.walls import pick_colour

FRAME_HEX = "b58a3c c9a14e 8a6428 5b3a1e 2d1d12 151312 efece6 9c9a96 6e2c1b"


@dataclass(frozen=True)
class Box:
    """A rectangle in whole pixels; ``right`` and ``bottom`` are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    def corners(self) -> Floats:
        """Return (4, 2) float64 x and y, clockwise from the top left."""
        x, y, right, bottom = map(float, (self.left, self.top, self.right, self.bottom))
        return np.array([[x, y], [right, y], [right, bottom], [x, bottom]])

    def overlaps(self, other: "Box", gap: int = 0) -> bool:
        """Whether two rectangles are nearer than ``gap`` pixels."""
        apart_x = self.left >= other.right + gap or other.left >= self.right + gap
        apart_y = self.top >= other.bottom + gap or other.top >= self.bottom + gap
        return not (apart_x or apart_y)


def hang(rng: np.random.Generator, wall: Floats, image: np.ndarray, box: Box, glass: bool) -> None:
    """Draw a framed or unframed work into a box of the wall, in place, and its shadow around the box."""
    if rng.random() < 0.7:
        _shadow(rng, wall, box)
    work = framed(rng, image, (box.height, box.width), glass)
    wall[box.top : box.bottom, box.left : box.right] = work


def framed(rng: np.random.Generator, image: np.ndarray, shape: tuple[int, int], glass: bool) -> Floats:
    """Return a work of a shape, (height, width, 3) float32, with its frame and mount."""
    height, width = shape
    work = np.zeros((height, width, 3), np.float32)
    frame = round(min(shape) * rng.uniform(0.03, 0.16)) if rng.random() < 0.65 else 0
    mount = round(min(shape) * rng.uniform(0.05, 0.18)) if rng.random() < 0.22 else 0
    if frame:
        _draw_frame(rng, work, frame)
    edge = frame
    if mount and min(shape) > 2 * (frame + mount) + 8:
        work[edge : height - edge, edge : width - edge] = pick_colour(rng, "f7f4ec efe9d9 e3ddd0 d8d2c6")
        edge += mount
    inner = work[edge : height - edge, edge : width - edge]
    inner[:] = cv2.resize(image, inner.shape[1::-1], interpolation=cv2.INTER_AREA)
    if frame:
        inner[: max(1, frame // 8)] *= 0.6
        inner[:, : max(1, frame // 8)] *= 0.75
    if glass:
        _reflect(rng, work[frame : height - frame, frame : width - frame])
    return work


def _draw_frame(rng: np.random.Generator, work: Floats, width: int) -> None:
    """Draw concentric mouldings, lit from above, over the whole of a work."""
    height, across = work.shape[:2]
    colour, steps = pick_colour(rng, FRAME_HEX), max(1, min(width, int(rng.integers(3, 9))))
    shades = np.clip(rng.normal(1, 0.22, steps), 0.4, 1.6)
    for step, shade in enumerate(shades):
        inset = round(step * width / steps)
        band = (height - 2 * inset, across - 2 * inset)
        if min(band) > 2:
            work[inset : height - inset, inset : across - inset] = colour * shade
    lit = rng.uniform(1.02, 1.25)
    work[:width] *= lit
    work[height - width :] /= lit
    grain = rng.normal(0, rng.uniform(0, 8), (height, across, 1)).astype(np.float32)
    work += grain


def _shadow(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    mask = np.zeros(wall.shape[:2], np.float32)
    size = max(2.0, min(box.width, box.height) * rng.uniform(0.01, 0.06))
    x, y = round(rng.uniform(-1, 1) * size), round(rng.uniform(0.2, 1) * size)
    cv2.rectangle(mask, (box.left + x, box.top + y), (box.right + x, box.bottom + y), 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), size * rng.uniform(0.3, 0.9))
    wall *= 1 - rng.uniform(0.15, 0.55) * soft[:, :, None]


def _reflect(rng: np.random.Generator, pane: Floats) -> None:
    """Add the reflection of windows and lamps to a pane of glass, in place."""
    height, width = pane.shape[:2]
    light = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(-0.1, 0.9, 2)
        wide, high, lean = rng.uniform(0.08, 0.5), rng.uniform(0.1, 0.7), rng.uniform(-0.25, 0.25)
        points = [[x, y], [x + wide, y + lean * 0.3], [x + wide + lean, y + high], [x + lean, y + high]]
        corners = np.round(np.array(points) * [width, height]).astype(np.int32)
        cv2.fillConvexPoly(light, corners, float(rng.uniform(0.3, 1)), cv2.LINE_AA)
    soft = cv2.GaussianBlur(light, (0, 0), max(0.8, min(height, width) * rng.uniform(0.005, 0.06)))
    alpha = (soft * rng.uniform(0.3, 0.8))[:, :, None]
    pane[:] = pane * (1 - alpha) + rng.uniform(200, 255) * alpha + rng.uniform(0, 12)
