"""Works with the most similar ones, as a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
    SKY,
    TEXT,
    draw_image,
    new_figure,
    png,
    write_heads,
    write_lines,
)
from art_pipeline.evaluation.figures.examples import read_or_none
from art_pipeline.images.standardize import image_path, read_rgb

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL, GAP, EDGE, HEAD, CAPTION = 1.3, 0.12, 0.14, 0.26, 0.5  # inches
BETWEEN = 0.2  # a work and the similar ones
CHARACTERS = 24


def plot_examples(rows: Sequence[tuple[int, str, pd.DataFrame]], images: Path) -> bytes:
    """Plot works, and the most similar ones beside each.

    Args:
        rows: Id and title of a work, and rows of the similar ones: ``title`` and ``similarity`` by ``object_id``.
        images: Folder of the standardized images.

    Returns:
        A PNG with a row per work.
    """
    return png(_draw, rows, images)


def _draw(rows: Sequence[tuple[int, str, pd.DataFrame]], images: Path) -> "Figure":
    count = max((len(found) for *_, found in rows), default=0)
    pitch = CELL + CAPTION
    width = 2 * EDGE + (count + 1) * (CELL + GAP) + BETWEEN
    figure = new_figure(width, EDGE + HEAD + len(rows) * pitch)
    second = EDGE + CELL + GAP + BETWEEN
    write_heads(figure, EDGE + 0.12, [(EDGE, "work"), (second, "most similar works, with the similarity")])
    for number, (object_id, own, found) in enumerate(rows):
        top = EDGE + HEAD + number * pitch
        _draw_work(figure, (EDGE, top), object_id, (f"id {object_id}", _shorten(own)), BLUE, images)
        for place, (other, title, similarity) in enumerate(found[["title", "similarity"]].itertuples()):
            lines = (f"{similarity:.2f}   id {other}", _shorten(title))
            _draw_work(figure, (second + place * (CELL + GAP), top), other, lines, SKY, images)
    return figure


def _draw_work(
    figure: "Figure", corner: tuple[float, float], object_id: int, lines: tuple[str, str], colour: str, images: Path
) -> None:
    left, top = corner
    image = read_or_none(lambda one: read_rgb(image_path(images, one)), object_id)
    draw_image(figure, (left, top, CELL), image, colour)
    write_lines(figure, left, top + CELL + 0.06, zip(lines, (TEXT, GREY), strict=True))


def _shorten(title: str) -> str:
    """Shorten a title in its middle: those of a series differ at the end."""
    flat = " ".join(str(title).split())
    return flat if len(flat) <= CHARACTERS else f"{flat[: CHARACTERS - 8].rstrip()}…{flat[-7:].lstrip()}"
