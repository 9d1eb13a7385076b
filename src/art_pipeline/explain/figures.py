"""Figures of maps: images with their boxes and maps, and maps with randomised weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
    LINE,
    TEXT,
    VERMILION,
    draw_image,
    new_figure,
    png,
    short_names,
    write,
    write_heads,
    write_lines,
)
from art_pipeline.explain.boxes import Boxes
from art_pipeline.explain.maps import Images, Map, scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL, GAP, EDGE = 1.35, 0.1, 0.14  # inches
WIDE, LINES = 0.34, 0.62  # between the right and the wrong predictions; height of the lines below an image
BOX_COLOUR = (230, 159, 0)
STRENGTH = 0.65  # of the colours of a map over its image


@dataclass(frozen=True)
class MapExample:
    """A prediction with its maps.

    Attributes:
        object_id: Number of the object.
        pixels: (height, width, 3) uint8, RGB.
        true: True class, or several of a multi-label task, as text.
        predicted: Predicted class.
        probability: Probability of the predicted class.
        is_right: Whether the prediction is right.
        found: Map of the predicted class, of the image's size.
        of_true: Map of the true class of a wrong prediction; None where the model does not know it, or it is right.
        boxes: (n, 4) boxes of ``found``; the first one is drawn.
    """

    object_id: int
    pixels: Images
    true: str
    predicted: str
    probability: float
    is_right: bool
    found: Map
    of_true: Map | None
    boxes: Boxes


def overlay(pixels: Images, values: Map) -> Images:
    """Draw a map over its image in grey, from dark violet (no contribution to the class) to yellow (the highest).

    Args:
        pixels: (height, width, 3) uint8, RGB.
        values: (height, width) map, not scaled.
    """
    from matplotlib import colormaps

    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    colours = colormaps["inferno"](scale(values))[..., :3] * 255
    mixed: Images = ((1 - STRENGTH) * grey + STRENGTH * colours).round().astype(np.uint8)
    return mixed


def draw_box(pixels: Images, boxes: Boxes) -> Images:
    """Return a copy of an image with the frame of the first box, if there is one."""
    import cv2

    copy = pixels.copy()
    height, width = pixels.shape[:2]
    for left, top, right, bottom in boxes[:1]:
        first = round(float(left) * width), round(float(top) * height)
        last = round(float(right) * width) - 1, round(float(bottom) * height) - 1
        thick = max(2, max(height, width) // 100)
        cv2.rectangle(copy, first, last, (0, 0, 0), thick + 2)
        cv2.rectangle(copy, first, last, BOX_COLOUR, thick)
    return copy


def plot_maps(examples: Sequence[tuple[str, MapExample]], groups: Sequence[str]) -> bytes:
    """Plot right and wrong predictions beside each other, as PNG.

    Args:
        examples: The group and the prediction of each image.
        groups: Groups, each of which has a row or more: classes.
    """
    return png(_draw_maps, examples, groups)


def plot_randomised(rows: Sequence[tuple[Images, Sequence[Map]]], titles: Sequence[str]) -> bytes:
    """Plot images, each in a row with its maps, as PNG.

    Args:
        rows: Images, and as many maps of each.
        titles: Title of each column of maps.
    """
    return png(_draw_randomised, rows, titles)


def _draw_maps(examples: Sequence[tuple[str, MapExample]], groups: Sequence[str]) -> "Figure":
    lines = []
    for name in groups:
        own = [one for group, one in examples if group == name]
        right, wrong = ([one for one in own if one.is_right == side] for side in (True, False))
        lines += [
            (name if not i else "", right[i : i + 1], wrong[i : i + 1]) for i in range(max(len(right), len(wrong)))
        ]
    pitch, start = 0.24 + CELL + LINES, EDGE + 2 * (CELL + GAP) + WIDE
    figure = new_figure(start + 3 * (CELL + GAP) + EDGE, EDGE + 0.3 + len(lines) * pitch)
    heads = ["right", "map", "wrong", "map of the prediction", "map of the true class"]
    lefts = [EDGE, EDGE + CELL + GAP, *(start + i * (CELL + GAP) for i in range(3))]
    write_heads(figure, EDGE + 0.12, zip(lefts, heads, strict=True))
    for number, (name, right, wrong) in enumerate(lines):
        top = EDGE + 0.3 + number * pitch
        write(figure, EDGE, top + 0.12, short_names([name], 60)[0], fontsize=9, fontweight="bold", va="baseline")
        for left, chosen in ((EDGE, right), (start, wrong)):
            _draw_example(figure, left, top + 0.2, chosen[0] if chosen else None)
    return figure


def _draw_example(figure: "Figure", left: float, top: float, one: MapExample | None) -> None:
    if one is None:
        write(figure, left, top + CELL / 2, "none among the test images", fontsize=8, color=GREY, va="center")
        return
    colour = BLUE if one.is_right else VERMILION
    pictures = [draw_box(one.pixels, one.boxes), overlay(one.pixels, one.found)]
    if one.of_true is not None:
        pictures.append(overlay(one.pixels, one.of_true))
    for i, picture in enumerate(pictures):
        draw_image(figure, (left + i * (CELL + GAP), top, CELL), picture, colour if i == 0 else LINE)
    true, predicted = (short_names([name], 34)[0] for name in (one.true, one.predicted))
    found = (f"{one.probability:.0%}   id {one.object_id}", GREY)
    write_lines(figure, left, top + CELL + 0.07, [(f"true  {true}", TEXT), (f"pred.  {predicted}", colour), found])


def _draw_randomised(rows: Sequence[tuple[Images, Sequence[Map]]], titles: Sequence[str]) -> "Figure":
    head = 0.3
    width = 2 * EDGE + (1 + len(titles)) * (CELL + GAP) - GAP
    figure = new_figure(width, 2 * EDGE + head + len(rows) * (CELL + GAP) - GAP)
    write_heads(figure, EDGE + 0.15, [(EDGE + i * (CELL + GAP), text) for i, text in enumerate(("image", *titles))])
    for j, (pixels, maps) in enumerate(rows):
        top = EDGE + head + j * (CELL + GAP)
        for i, picture in enumerate([pixels, *(overlay(pixels, one) for one in maps)]):
            draw_image(figure, (EDGE + i * (CELL + GAP), top, CELL), picture, LINE)
    return figure


def stack_boxes(boxes: Sequence[Boxes]) -> NDArray[np.float64]:
    """Return the first box of each, as (n, 4); NaN where there is none."""
    return np.array([one[0] if len(one) else np.full(4, np.nan) for one in boxes]).reshape(-1, 4)
