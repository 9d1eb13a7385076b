"""Grids of images: predictions, correct and wrong, and augmented images beside their originals."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import ArtPipelineError, EvaluationError
from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
    SKY,
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
from art_pipeline.evaluation.predictions import Rows, index_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Image = NDArray[np.uint8]
ReadImage = Callable[[int], Image | None]

_MIN_WIDTH = 4.6
_MAX_TITLE = 52


def plot_prediction_examples(predictions: pd.DataFrame, read_image: ReadImage, *, n: int = 8) -> bytes:
    """Plot the most confident predictions, correct and wrong, and the least confident ones.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).
        read_image: Returns an object's image, uint8 ``(height, width, 3)`` RGB. An image that is missing (None, or an
            `OSError`, `LookupError` or `ArtPipelineError`) is drawn as a grey square.
        n: Images per row, 1 or more.

    Returns:
        A PNG of three rows. Below each image are its true class, the predicted class, its probability and the object's
        id. Ties go to the lower id.

    Raises:
        EvaluationError: The predictions are invalid, or `n` is below 1.
    """
    if n < 1:
        raise EvaluationError(f"Cannot plot {n} examples per row: ask for at least 1.")
    return png(_draw_predictions, index_rows(predictions), read_image, n)


def plot_augmentation_examples(rows: Sequence[tuple[str, Sequence[Image]]]) -> bytes:
    """Plot training images beside the augmented images that were generated from them.

    Args:
        rows: A title, and the original followed by its augmented images: uint8 ``(height, width, 3)`` RGB of any size.
            Rows may differ in length.

    Returns:
        A PNG with one row per title; without rows, a small one that says so.
    """
    return png(_draw_augmented, rows) if rows else png(_draw_message, "No images were generated.", crop=True)


def _draw_predictions(rows: Rows, read_image: ReadImage, n: int) -> "Figure":
    cell, gap, edge, head, caption = 1.4, 0.14, 0.12, 0.32, 0.68  # inches
    height = head + cell + caption
    figure = new_figure(max(n * (cell + gap) - gap + 2 * edge, _MIN_WIDTH), 3 * height + edge)
    for i, (title, criterion, chosen) in enumerate(_choose(rows, n)):
        top = edge + i * height
        write(figure, edge, top + 0.2, title, fontsize=10, fontweight="bold", va="baseline")
        note = criterion if len(chosen) else "none among the test images"
        write(figure, edge + 1.54, top + 0.2, note, fontsize=8.5, color=GREY, va="baseline")
        for j, row in enumerate(chosen):
            _draw_prediction(figure, (edge + j * (cell + gap), top + head - 0.04, cell), rows, row, read_image)
    return figure


def _choose(rows: Rows, n: int) -> list[tuple[str, str, NDArray[np.intp]]]:
    confidence, correct = rows.confidence, rows.true == rows.predicted
    descending = np.argsort(-confidence, kind="stable")
    ascending = np.argsort(confidence, kind="stable")
    return [
        ("Confident, correct", "highest probability among correct predictions", descending[correct[descending]][:n]),
        ("Confident, wrong", "highest probability among wrong predictions", descending[~correct[descending]][:n]),
        ("Least confident", "lowest top probability, correct or wrong", ascending[:n]),
    ]


def _draw_prediction(
    figure: "Figure", box: tuple[float, float, float], rows: Rows, row: int, read_image: ReadImage
) -> None:
    correct = rows.true[row] == rows.predicted[row]
    colour = BLUE if correct else VERMILION
    object_id = int(rows.object_ids[row])
    draw_image(figure, box, read_or_none(read_image, object_id), colour)
    true, predicted = (short_names([rows.classes[i[row]]], 19)[0] for i in (rows.true, rows.predicted))
    lines = (
        (f"true  {true}", TEXT),
        (f"pred.  {predicted}", colour),
        (f"{'✓' if correct else '✗'}  {rows.confidence[row]:.0%}   id {object_id}", GREY),
    )
    left, top, side = box
    write_lines(figure, left, top + side + 0.07, lines)


def read_or_none(read_image: ReadImage, object_id: int) -> Image | None:
    """Return the image of an object; None if it is missing."""
    try:
        return read_image(object_id)
    except (OSError, LookupError, ArtPipelineError):
        return None


def _draw_augmented(rows: Sequence[tuple[str, Sequence[Image]]]) -> "Figure":
    cell, gap, edge, header, title_height = 1.25, 0.12, 0.14, 0.24, 0.26  # inches
    second, pitch = edge + cell + 0.3, title_height + cell + 0.16
    copies = max(len(images) for _, images in rows) - 1
    width = max(second + copies * (cell + gap) - gap + edge, _MIN_WIDTH)
    figure = new_figure(width, edge + header + len(rows) * pitch)
    write_heads(figure, edge + 0.12, [(edge, "original"), (second, "augmented")])
    for i, (title, images) in enumerate(rows):
        top = edge + header + i * pitch
        name = short_names([title], _MAX_TITLE)[0]
        write(figure, edge, top + 0.17, name, fontsize=9, fontweight="bold", va="baseline")
        draw_image(figure, (edge, top + title_height, cell), images[0] if len(images) else None, BLUE)
        for j, image in enumerate(images[1:]):
            draw_image(figure, (second + j * (cell + gap), top + title_height, cell), image, SKY)
        if not images[1:]:
            middle = top + title_height + cell / 2
            write(figure, second, middle, "none", fontsize=8.5, color=GREY, va="center")
    return figure


def _draw_message(text: str) -> "Figure":
    figure = new_figure(_MIN_WIDTH, 0.5)
    write(figure, 0.05, 0.25, text, color=GREY, va="center")
    return figure
