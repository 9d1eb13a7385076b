"""A room with works, seen by a camera: drawn from a seed, with the quadrilaterals of its works."""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from zlib import crc32

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.rooms.furniture import ON_FLOORS, ON_WALLS
from art_pipeline.detection.rooms.walls import add_floor, patterned_wall, plain_wall
from art_pipeline.detection.rooms.works import Box, hang

TRIES = 40  # to place one thing where nothing else is


@dataclass(frozen=True)
class Kind:
    """What a kind of rooms has.

    Attributes:
        works: Least and largest number of works.
        patterned: Share of rooms with a patterned wall.
        tilt: Largest share of the room's width and height by which a corner of the view moves.
        glass: Share of works behind glass with reflections.
        things: Least and largest number of other things.
        floor: Share of rooms with a floor.
        size: Least and largest share of the photograph's shorter side that a work's longer side has.
        gap: Least distance between two things, and from the photograph's edges, as a share of its shorter side.
    """

    works: tuple[int, int] = (1, 1)
    patterned: float = 0.0
    tilt: float = 0.015
    glass: float = 0.0
    things: tuple[int, int] = (0, 0)
    floor: float = 0.0
    size: tuple[float, float] = (0.16, 0.5)
    gap: float = 0.03


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "single": Kind(size=(0.45, 0.97), gap=0.01),
        "several": Kind(works=(2, 7), floor=0.4),
        "patterned": Kind(works=(1, 4), patterned=1.0, floor=0.3),
        "perspective": Kind(works=(1, 4), tilt=0.3, floor=0.5, patterned=0.2),
        "glass": Kind(works=(1, 4), glass=1.0, floor=0.3, patterned=0.1),
        "furnished": Kind(works=(1, 4), things=(2, 6), floor=1.0, patterned=0.25, tilt=0.06, glass=0.2),
        "empty": Kind(works=(0, 0), things=(0, 6), floor=0.8, patterned=0.4, tilt=0.08),
    }
)


@dataclass
class Room:
    """A photograph of a room.

    Attributes:
        pixels: (height, width, 3) uint8, RGB.
        kind: Name in `KINDS`.
        works: (n, 4, 2) float64, corners of the works with their frames, clockwise from the top left, x and y.
        used: Index of the image of each work.
        things: (name, (4, 2) float64 corners) of all other things.
    """

    pixels: np.ndarray
    kind: str
    works: Floats
    used: list[int]
    things: list[tuple[str, Floats]]


@dataclass
class _Wall:
    pixels: Floats
    rng: np.random.Generator
    taken: list[Box] = field(default_factory=list)
    works: list[Box] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    things: list[tuple[str, Box]] = field(default_factory=list)
    ground: int = 0  # row where the floor begins


def compose_room(images: Sequence[np.ndarray], kind: str, seed: int, number: int, width: int = 1024) -> Room:
    """Draw a room.

    Args:
        images: Images of the works that may hang in it, (height, width, 3) uint8, RGB.
        kind: A name in `KINDS`.
        seed: 0 or greater.
        number: Number of the room; each number of a kind and a seed is another room.
        width: Width of the photograph in pixels; its height is three quarters of it, or four thirds.

    Returns:
        The same room for the same arguments.
    """
    rng, wanted = np.random.default_rng([seed, crc32(kind.encode()), number]), KINDS[kind]
    upright = rng.random() < 0.25
    shape = (round(width * 4 / 3), width) if upright else (round(width * 3 / 4), width)
    wall = _build(rng, shape, wanted)
    for index in rng.permutation(len(images))[: int(rng.integers(wanted.works[0], wanted.works[1] + 1))]:
        _place_work(wall, images[index], int(index), wanted)
    if wanted.works[1] and rng.random() < 0.3 and wall.works:
        _place_label(wall)
    return _photograph(wall, kind, wanted)


def _build(rng: np.random.Generator, shape: tuple[int, int], kind: Kind) -> _Wall:
    """Return a wall with its floor and with things other than works."""
    pixels = patterned_wall(rng, shape) if rng.random() < kind.patterned else plain_wall(rng, shape)
    wall = _Wall(pixels, rng, ground=shape[0])
    if rng.random() < kind.floor:
        height = round(shape[0] * rng.uniform(0.1, 0.24))
        add_floor(rng, pixels, height)
        wall.ground -= height
    for _ in range(int(rng.integers(kind.things[0], kind.things[1] + 1))):
        _place_thing(wall)
    return wall


def _place_thing(wall: _Wall) -> None:
    on_floor = wall.rng.random() < 0.55
    choices = ON_FLOORS if on_floor else ON_WALLS
    name = str(wall.rng.choice([*choices]))
    draw, widths, heights = choices[name]
    short = min(wall.pixels.shape[:2])
    size = (round(wall.rng.uniform(*heights) * short), round(wall.rng.uniform(*widths) * short))
    box = _free_place(wall, size, bottom=wall.ground + round(wall.rng.uniform(0, 0.05) * short) if on_floor else None)
    if box:
        draw(wall.rng, wall.pixels, box)
        wall.taken.append(box)
        wall.things.append((name, box))


def _place_work(wall: _Wall, image: np.ndarray, index: int, kind: Kind) -> None:
    short = min(wall.pixels.shape[:2])
    longest = wall.rng.uniform(*kind.size) * short
    scale = longest / max(image.shape[:2])
    size = (max(24, round(image.shape[0] * scale)), max(24, round(image.shape[1] * scale)))
    box = _free_place(wall, size, margin=0.9 * kind.tilt, gap=kind.gap)
    if box:
        hang(wall.rng, wall.pixels, image, box, bool(wall.rng.random() < kind.glass))
        wall.taken.append(box)
        wall.works.append(box)
        wall.used.append(index)


def _place_label(wall: _Wall) -> None:
    """Draw a wall label at the right of a work."""
    work, (draw, widths, heights) = wall.works[-1], ON_WALLS["label"]
    short = min(wall.pixels.shape[:2])
    left, gap = work.right, round(0.03 * short)
    top = work.bottom - round(wall.rng.uniform(*heights) * short)
    box = Box(left + gap, top, left + gap + round(wall.rng.uniform(*widths) * short), work.bottom)
    inside = box.right < wall.pixels.shape[1] * 0.95
    if inside and not any(box.overlaps(other, 4) for other in wall.taken if other is not work):
        draw(wall.rng, wall.pixels, box)
        wall.things.append(("label", box))


def _free_place(
    wall: _Wall, size: tuple[int, int], margin: float = 0.0, bottom: int | None = None, gap: float = 0.03
) -> Box | None:
    """Return a box of a size (height, width) that nothing is near; None if none is found."""
    rows, columns = wall.pixels.shape[:2]
    side, near = round(margin * columns), round(gap * min(rows, columns))
    above = round(margin * rows)
    lowest = min(wall.ground - near, rows - above) - size[0]
    for _ in range(TRIES):
        left = _integer(wall.rng, side, columns - side - size[1])
        top = bottom - size[0] if bottom is not None else _integer(wall.rng, above, lowest)
        if left is None or top is None or top < 0:
            return None
        box = Box(left, top, left + size[1], top + size[0])
        if not any(box.overlaps(other, near) for other in wall.taken):
            return box
    return None


def _integer(rng: np.random.Generator, least: int, largest: int) -> int | None:
    return int(rng.integers(least, largest + 1)) if largest >= least else None


def _photograph(wall: _Wall, kind: str, wanted: Kind) -> Room:
    rng, (rows, columns) = wall.rng, wall.pixels.shape[:2]
    full = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], float)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    seen = full + inwards * _tilts(rng, wanted.tilt) * [columns, rows]
    view = np.asarray(cv2.getPerspectiveTransform(seen.astype(np.float32), full.astype(np.float32)), float)
    lit = np.asarray(cv2.warpPerspective(wall.pixels * _light(rng, wall), view, (columns, rows)), np.float32)
    works = [_seen(box.corners(), view) for box in wall.works]
    things = [(name, _seen(box.corners(), view)) for name, box in wall.things]
    return Room(_develop(rng, lit), kind, np.array(works).reshape(-1, 4, 2), wall.used, things)


def _tilts(rng: np.random.Generator, tilt: float) -> Floats:
    """Return (4, 2), by how much each corner of the view moves inwards: mostly two neighbours together."""
    tilts = rng.uniform(0, 0.25 * tilt, (4, 2))
    near = int(rng.integers(4))
    axis = 1 if near % 2 else 0  # corners 0 and 1 share the top, 1 and 2 the right edge
    tilts[[near, (near + 1) % 4], axis] += rng.uniform(0.3, 0.75) * tilt
    return tilts


def _seen(corners: Floats, view: Floats) -> Floats:
    return np.asarray(cv2.perspectiveTransform(corners[None], view)[0], float)


def _light(rng: np.random.Generator, wall: _Wall) -> Floats:
    """Return (height, width, 3) float32 factors: daylight from an edge, spotlights, and the colour of lamps."""
    rows, columns = wall.pixels.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    light = 1 + rng.uniform(-0.35, 0.35) * (x / columns - 0.5) + rng.uniform(-0.35, 0.35) * (y / rows - 0.5)
    for box in wall.works:
        if rng.random() < 0.25:
            centre = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
            wide, high = rng.uniform(0.5, 1.1) * box.width, rng.uniform(0.5, 1.1) * box.height
            distance = ((x - centre[0]) / wide) ** 2 + ((y - centre[1]) / high) ** 2
            light += rng.uniform(0.1, 0.5) * np.exp(-distance)
    tint = 1 + rng.normal(0, 0.04, 3)
    return np.asarray(light[:, :, None] * tint * rng.uniform(0.7, 1.08), np.float32)


def _develop(rng: np.random.Generator, pixels: Floats) -> np.ndarray:
    """Return uint8 with the camera's blur, noise and compression."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 1.3))
    noisy = blurred + rng.normal(0, max(0.0, rng.uniform(-1.5, 6)), blurred.shape)
    image = np.clip(noisy, 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 96))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR))
