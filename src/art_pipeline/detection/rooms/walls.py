"""Walls, plain and patterned, with floors; drawn from a generator."""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats

Shape = tuple[int, int]

PLAIN_HEX = "f2efe8 e6e1d6 d8d8d8 bfc3c4 8f9598 55585c 2b2b2d 0c0c0c 7b2d2a 2f4a3c 34496a c9b48f a8b7a0 e9d7c3"


def colour_of(hex_digits: str) -> Floats:
    """Return (3,) float64 RGB of six hexadecimal digits."""
    return np.array([int(hex_digits[start : start + 2], 16) for start in (0, 2, 4)], float)


def pick_colour(rng: np.random.Generator, choices: str = PLAIN_HEX) -> Floats:
    """Return one of the colours, slightly changed."""
    return np.clip(colour_of(str(rng.choice(choices.split()))) + rng.normal(0, 6, 3), 0, 255)


def plain_wall(rng: np.random.Generator, shape: Shape) -> Floats:
    """Return (height, width, 3) float32: one colour with a faint texture of plaster."""
    wall = np.empty((*shape, 3), np.float32)
    wall[:] = pick_colour(rng)
    coarse = rng.normal(0, max(0.0, rng.uniform(-1, 2.5)), (shape[0] // 8 + 2, shape[1] // 8 + 2)).astype(np.float32)
    return wall + cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)[:, :, None]


def patterned_wall(rng: np.random.Generator, shape: Shape) -> Floats:
    """Return (height, width, 3) float32: wallpaper, bricks, boards, tiles or panelling."""
    wall = plain_wall(rng, shape)
    other = wall[0, 0] + rng.choice([-1, 1]) * rng.uniform(14, 60, 3)
    name = str(rng.choice([*PATTERNS]))
    mask = PATTERNS[name](rng, shape).astype(np.float32)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 1.2))[:, :, None]
    return np.asarray(wall * (1 - soft) + np.clip(other, 0, 255) * soft, np.float32)


def _grid(shape: Shape) -> tuple[Floats, Floats]:
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return rows, columns


def _stripes(rng: np.random.Generator, shape: Shape) -> Floats:
    period = shape[1] / rng.uniform(12, 45)
    return np.asarray(_grid(shape)[1] % period < period * rng.uniform(0.2, 0.6), np.float32)


def _checks(rng: np.random.Generator, shape: Shape) -> Floats:
    period, (rows, columns) = shape[1] / rng.uniform(10, 40), _grid(shape)
    return np.asarray((rows // period + columns // period) % 2 == 0, np.float32)


def _ornament(rng: np.random.Generator, shape: Shape) -> Floats:
    """Return a damask: a motif of ovals and leaves, repeated with an offset."""
    side = max(12, round(shape[1] / rng.uniform(9, 26)))
    tile = np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(2, 5))):
        axes = rng.uniform(0.05, 0.3, 2) * side
        x = float(rng.uniform(0.2, 0.5)) * side
        angle = float(rng.uniform(0, 180))
        for centre, turn in ((x, angle), (side - x, 180 - angle)):
            where = (round(centre), round(float(rng.uniform(0.3, 0.7)) * side))
            cv2.ellipse(tile, where, (int(axes[0]) + 1, int(axes[1]) + 1), turn, 0, 360, 1.0, -1, cv2.LINE_AA)
    row = np.tile(tile, (1, shape[1] // side + 2))
    rows = [np.roll(row, (number % 2) * side // 2, axis=1) for number in range(shape[0] // side + 1)]
    return np.vstack(rows)[: shape[0], : shape[1]]


def _bricks(rng: np.random.Generator, shape: Shape) -> Floats:
    height = shape[0] / rng.uniform(18, 45)
    width, (rows, columns) = height * rng.uniform(2, 3.5), _grid(shape)
    shifted = columns + (rows // height % 2) * width / 2
    joint = max(1.2, height * 0.1)
    return ((rows % height < joint) | (shifted % width < joint)).astype(np.float32)


def _boards(rng: np.random.Generator, shape: Shape) -> Floats:
    width, columns = shape[1] / rng.uniform(6, 20), _grid(shape)[1]
    return (columns % width < max(1.5, width * 0.04)).astype(np.float32)


def _panelling(rng: np.random.Generator, shape: Shape) -> Floats:
    """Return mouldings: rectangles of thin lines, as on the walls of old houses."""
    mask, number = np.zeros(shape, np.float32), int(rng.integers(2, 5))
    width, line = shape[1] / number, max(1, round(shape[1] / 300))
    for place in range(number):
        left, right = round((place + 0.12) * width), round((place + 0.88) * width)
        for top, bottom in ((0.08, 0.6), (0.66, 0.86)):
            start, end = (left, round(top * shape[0])), (right, round(bottom * shape[0]))
            cv2.rectangle(mask, start, end, 1.0, line, cv2.LINE_AA)
    return mask


def _speckles(rng: np.random.Generator, shape: Shape) -> Floats:
    noise = rng.normal(0, 1, (shape[0] // 3 + 1, shape[1] // 3 + 1)).astype(np.float32)
    return np.asarray(np.clip(cv2.resize(noise, shape[::-1]) * 0.5 + 0.3, 0, 1), np.float32)


PATTERNS: Mapping[str, Callable[[np.random.Generator, Shape], Floats]] = MappingProxyType(
    {
        "stripes": _stripes,
        "checks": _checks,
        "ornament": _ornament,
        "bricks": _bricks,
        "boards": _boards,
        "panelling": _panelling,
        "speckles": _speckles,
    }
)


def add_floor(rng: np.random.Generator, wall: Floats, height: int) -> None:
    """Paint a floor with a skirting board over the lowest rows of a wall, in place."""
    rows, columns = wall.shape[:2]
    top, board = rows - height, max(2, round(rows * rng.uniform(0.01, 0.035)))
    floor = patterned_wall(rng, (height, columns)) if rng.random() < 0.5 else plain_wall(rng, (height, columns))
    wall[top:] = floor * rng.uniform(0.5, 0.9)
    wall[top - board : top] = pick_colour(rng, "f4f2ee d9d4c8 5a3b22 2c2620")
    wall[top : top + 2] *= 0.5
