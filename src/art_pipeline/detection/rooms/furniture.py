"""What is in rooms beside works: windows, doors, mirrors, screens, furniture, labels."""

# ruff: noqa: PLR2004 -- proportions of a drawing are numbers without names
from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np

from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.rooms.walls import pick_colour
from art_pipeline.detection.rooms.works import Box

WOOD_HEX = "6b4526 8a5d35 3c2415 a67c52 d8c3a0 efeae0 2a2a2c"


def _fill(wall: Floats, box: Box, colour: Floats) -> None:
    wall[box.top : box.bottom, box.left : box.right] = colour


def _inset(box: Box, by: int) -> Box:
    return Box(
        box.left + by, box.top + by, max(box.left + by + 1, box.right - by), max(box.top + by + 1, box.bottom - by)
    )


def draw_window(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    """Draw a window: bright panes between bars, with sky and trees behind."""
    _fill(wall, box, pick_colour(rng, "f5f3ee e4e0d6 6b4526 3a3a3c"))
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    bar = max(2, round(min(box.width, box.height) * rng.uniform(0.025, 0.06)))
    shown = np.zeros((box.height, box.width, 1), bool)
    for row in range(rows):
        for column in range(columns):
            left, right = (bar + round((box.width - bar) * (column + one) / columns) for one in (0, 1))
            top, bottom = (bar + round((box.height - bar) * (row + one) / rows) for one in (0, 1))
            shown[top : bottom - bar, left : right - bar] = True
    part = np.s_[box.top : box.bottom, box.left : box.right]
    wall[part] = np.where(shown, _view(rng, box), wall[part])


def _view(rng: np.random.Generator, box: Box) -> Floats:
    """Return the sky, brighter than the room, above blurred trees; or the night."""
    view = np.empty((box.height, box.width, 3), np.float32)
    sky = pick_colour(rng, "ffffff eef4fb cfe2f5 b9d0e8 1a2030")
    view[:] = sky
    horizon = round(box.height * rng.uniform(0.4, 0.95))
    if rng.random() < 0.6:
        trees = rng.uniform(0, 1, (6, 9)).astype(np.float32)
        green = pick_colour(rng, "5d7a4a 8aa070 44583c 9a9a90")
        share = cv2.resize(trees, (box.width, box.height), interpolation=cv2.INTER_CUBIC)[:, :, None]
        share = np.clip(share, 0, 1) * (np.arange(box.height) > horizon)[:, None, None]
        return np.asarray(view * (1 - share) + green * share, np.float32)
    return view


def draw_door(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    """Draw a door with panels and a handle; or an opening into the next room."""
    _fill(wall, box, pick_colour(rng, WOOD_HEX))
    inner = _inset(box, max(2, box.width // 18))
    if rng.random() < 0.3:
        wall[inner.top : box.bottom, inner.left : inner.right] = pick_colour(rng)
        return
    wall[inner.top : box.bottom, inner.left : inner.right] *= rng.uniform(0.8, 1.15)
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    for row in range(rows):
        for column in range(columns):
            left = box.left + round(box.width * (0.16 + 0.7 * column / columns))
            right = left + round(box.width * 0.7 / columns * 0.85)
            top = box.top + round(box.height * (0.08 + 0.86 * row / rows))
            bottom = top + round(box.height * 0.86 / rows * 0.85)
            wall[top:bottom, left:right] *= rng.uniform(0.82, 0.95)
            cv2.rectangle(wall, (left, top), (right, bottom), (wall[top, left] * 0.7).tolist(), 1, cv2.LINE_AA)
    handle = (box.right - box.width // 8, box.top + box.height // 2)
    cv2.circle(wall, handle, max(2, box.width // 30), (180, 170, 120), -1, cv2.LINE_AA)


def draw_mirror(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    """Draw a framed mirror: blurred colours of the room without detail."""
    _fill(wall, box, pick_colour(rng, WOOD_HEX))
    inner = _inset(box, max(2, round(min(box.width, box.height) * rng.uniform(0.03, 0.1))))
    ends = np.stack([pick_colour(rng), pick_colour(rng)]).reshape(2, 1, 3).astype(np.float32)
    smooth = cv2.resize(ends, (inner.width, inner.height), interpolation=cv2.INTER_LINEAR)
    wall[inner.top : inner.bottom, inner.left : inner.right] = smooth


def draw_screen(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    """Draw a television that is off."""
    _fill(wall, box, np.full(3, rng.uniform(8, 30)))
    inner = _inset(box, max(1, box.width // 60))
    wall[inner.top : inner.bottom, inner.left : inner.right] += rng.uniform(4, 16)


def draw_label(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    """Draw a wall label with lines of text."""
    _fill(wall, box, pick_colour(rng, "ffffff f4f2ec e8e8e8"))
    step = max(3, box.height // 7)
    for row in range(box.top + step, box.bottom - step // 2, step):
        end = box.left + round(box.width * rng.uniform(0.5, 0.9))
        cv2.line(wall, (box.left + box.width // 10, row), (end, row), (90, 90, 90), max(1, step // 4))


def draw_cupboard(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    """Draw a chest of drawers, or shelves with books."""
    wood = pick_colour(rng, WOOD_HEX)
    _fill(wall, box, wood)
    rows, shelves = int(rng.integers(2, 5)), rng.random() < 0.4
    edge = max(2, box.width // 30)
    for row in range(rows):
        top, bottom = (box.top + edge + round((box.height - edge) * (row + one) / rows) for one in (0, 1))
        part = Box(box.left + edge, top, box.right - edge, max(top + 2, bottom - edge))
        if shelves:
            _books(rng, wall, part)
        else:
            _fill(wall, part, wood * rng.uniform(0.85, 1.12))
            cv2.rectangle(wall, (part.left, part.top), (part.right, part.bottom), (wood * 0.6).tolist(), 1)
            cv2.circle(wall, ((part.left + part.right) // 2, (part.top + part.bottom) // 2), 3, (200, 190, 150), -1)


def _books(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    _fill(wall, box, np.full(3, 40.0))
    left = box.left
    while left < box.right - 3:
        width = int(rng.integers(3, max(5, box.width // 10)))
        top = box.top + round(box.height * rng.uniform(0.05, 0.4))
        _fill(wall, Box(left, top, min(left + width, box.right), box.bottom), pick_colour(rng))
        left += width


def draw_sofa(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    """Draw a sofa with rounded cushions."""
    colour, arm = pick_colour(rng), box.width // 8
    back = Box(box.left + arm, box.top, box.right - arm, box.bottom)
    for part, shade in ((back, 0.95), (Box(box.left, box.top + box.height // 3, box.right, box.bottom), 1.0)):
        radius = max(2, min(part.width, part.height) // 6)
        mask = np.zeros(wall.shape[:2], np.float32)
        start, end = (part.left + radius, part.top + radius), (part.right - radius, part.bottom)
        cv2.rectangle(mask, start, end, 1.0, 2 * radius)
        cv2.rectangle(mask, start, end, 1.0, -1)
        mask[box.bottom :] = 0
        wall[:] = wall * (1 - mask[:, :, None]) + colour * shade * mask[:, :, None]
    middle = (box.left + box.right) // 2
    cv2.line(wall, (middle, box.top + box.height // 3), (middle, box.bottom), (colour * 0.7).tolist(), 2, cv2.LINE_AA)


def draw_plant(rng: np.random.Generator, wall: Floats, box: Box) -> None:
    """Draw a plant in a pot."""
    middle, pot = (box.left + box.right) // 2, box.bottom - box.height // 4
    for _ in range(int(rng.integers(12, 30))):
        end = (int(rng.integers(box.left, box.right)), int(rng.integers(box.top, pot)))
        colour = pick_colour(rng, "3f6b35 57844a 2c4a2a").tolist()
        cv2.line(wall, (middle, pot), end, colour, max(2, box.width // 14), cv2.LINE_AA)
    _fill(wall, Box(middle - box.width // 5, pot, middle + box.width // 5, box.bottom), pick_colour(rng))


Draw = Callable[[np.random.Generator, Floats, Box], None]

# Name → how it is drawn, least and largest width and height as shares of the room's height; where it is.
ON_WALLS: Mapping[str, tuple[Draw, tuple[float, float], tuple[float, float]]] = MappingProxyType(
    {
        "window": (draw_window, (0.2, 0.5), (0.3, 0.6)),
        "mirror": (draw_mirror, (0.15, 0.35), (0.2, 0.45)),
        "screen": (draw_screen, (0.3, 0.55), (0.18, 0.3)),
        "label": (draw_label, (0.04, 0.09), (0.03, 0.07)),
    }
)
ON_FLOORS: Mapping[str, tuple[Draw, tuple[float, float], tuple[float, float]]] = MappingProxyType(
    {
        "door": (draw_door, (0.25, 0.36), (0.6, 0.72)),
        "cupboard": (draw_cupboard, (0.25, 0.6), (0.2, 0.5)),
        "sofa": (draw_sofa, (0.45, 0.8), (0.2, 0.3)),
        "plant": (draw_plant, (0.12, 0.25), (0.25, 0.45)),
    }
)
