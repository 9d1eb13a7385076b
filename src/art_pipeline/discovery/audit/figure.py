"""The most suspected works, as a figure."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
    TEXT,
    VERMILION,
    draw_image,
    new_figure,
    png,
    short_names,
    write_lines,
)
from art_pipeline.evaluation.figures.examples import read_or_none
from art_pipeline.images.standardize import image_path, read_rgb

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL, GAP, EDGE, CAPTION = 1.5, 0.16, 0.14, 0.72  # inches
COLUMNS, CHARACTERS = 5, 25


def plot_suspects(table: pd.DataFrame, images: Path) -> bytes:
    """Plot works with what is recorded and what is suggested.

    Args:
        table: Rows of the ranked table.
        images: Folder of the standardized images.

    Returns:
        A PNG, five works in a row.
    """
    return png(_draw, table, images)


def _draw(table: pd.DataFrame, images: Path) -> "Figure":
    columns = min(COLUMNS, len(table))
    lines, pitch = -(-len(table) // columns), CELL + CAPTION
    figure = new_figure(2 * EDGE + columns * (CELL + GAP) - GAP, EDGE + lines * pitch)
    for number, (_, row) in enumerate(table.iterrows()):
        left, top = EDGE + number % columns * (CELL + GAP), EDGE + number // columns * pitch
        image = read_or_none(lambda one: read_rgb(image_path(images, one)), int(row["object_id"]))
        draw_image(figure, (left, top, CELL), image, VERMILION)
        write_lines(figure, left, top + CELL + 0.06, _captions(row))
    return figure


def _captions(row: pd.Series) -> list[tuple[str, str]]:
    suggested = str(row["suggested"]) or str(row["reasons"]).replace("_", " ").replace("|", ", ")
    recorded, better = (short_names([one], CHARACTERS)[0] for one in (str(row["recorded"]) or "no label", suggested))
    return [
        (f"{row['score']:.3f}   id {row['object_id']}", GREY),
        (recorded, TEXT),
        (f"→ {better}", BLUE),
    ]
