"""The best and the worst classes, with images: right, wrong, and what they are confused with."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
    VERMILION,
    draw_image,
    new_figure,
    png,
    short_names,
    write,
    write_lines,
)
from art_pipeline.evaluation.figures.examples import ReadImage, read_or_none
from art_pipeline.evaluation.predictions import Rows, index_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CLASSES = 3  # best ones, and worst ones
_CONFUSED = 3
_CELL, _GAP, _EDGE, _TEXT, _TITLE, _CAPTION = 1.25, 0.12, 0.14, 2.3, 0.36, 0.34  # inches


class ClassResult(NamedTuple):
    """How the test images of a class were predicted.

    Attributes:
        position: Position of the class.
        f1: F1 of the class, in 0..1.
        right: Rows of its images predicted as this class, the most confident first.
        wrong: Rows of its other images, the most confident first.
        precision: Share of the images predicted as this class that belong to it; 0 if there are none.
    """

    position: int
    f1: float
    right: NDArray[np.intp]
    wrong: NDArray[np.intp]
    precision: float

    @property
    def recall(self) -> float:
        """Share of its images that are predicted as this class."""
        return len(self.right) / (len(self.right) + len(self.wrong))


def plot_class_examples(predictions: pd.DataFrame, read_image: ReadImage, *, n: int = 4) -> bytes:
    """Plot images of the classes with the highest and the lowest F1: right ones, and wrong ones.

    Args:
        predictions: A multi-class predictions table (`art_pipeline.evaluation.predictions`).
        read_image: As for `examples.plot_prediction_examples`.
        n: Most images of each kind in a row, 1 or more.

    Returns:
        A PNG with a row per class: up to three best and three worst of the classes with test images, each class once.
        A row has the class's F1, precision and recall, the classes that its images are most often confused with, its
        most confident correct predictions and its most confident wrong ones. Ties go to the first name, and to the
        lower id.

    Raises:
        EvaluationError: The predictions are invalid, or `n` is below 1.
    """
    if n < 1:
        raise EvaluationError(f"Cannot plot {n} examples per class: ask for at least 1.")
    return png(_draw, index_rows(predictions), read_image, n)


def _draw(rows: Rows, read_image: ReadImage, n: int) -> "Figure":
    blocks = _choose(_results(rows))
    half = n * (_CELL + _GAP) + 0.14
    pitch = _CELL + _CAPTION + 0.2
    count = sum(len(results) for _, results in blocks)
    figure = new_figure(2 * _EDGE + _TEXT + 2 * half, len(blocks) * _TITLE + count * pitch + 0.3)
    top = 0.08
    for title, results in blocks:
        write(figure, _EDGE, top + 0.2, title, fontsize=10, fontweight="bold", va="baseline")
        write(figure, _EDGE + _TEXT, top + 0.2, "right", fontsize=9, color=BLUE, va="baseline")
        write(figure, _EDGE + _TEXT + half, top + 0.2, "wrong", fontsize=9, color=VERMILION, va="baseline")
        top += _TITLE
        for result in results:
            _describe(figure, top, rows, result)
            lefts = (_EDGE + _TEXT, _EDGE + _TEXT + half)
            for left, chosen in zip(lefts, (result.right, result.wrong), strict=True):
                _draw_images(figure, (left, top), rows, chosen[:n], read_image)
            top += pitch
    return figure


def _results(rows: Rows) -> list[ClassResult]:
    """Return the results of the classes with test images, the best first."""
    order = np.argsort(-rows.confidence, kind="stable")
    results = []
    for position in np.unique(rows.true):
        own = order[rows.true[order] == position]
        hit = rows.predicted[own] == position
        predicted = int((rows.predicted == position).sum())
        f1 = 2 * int(hit.sum()) / (len(own) + predicted)
        results.append(ClassResult(int(position), f1, own[hit], own[~hit], int(hit.sum()) / max(predicted, 1)))
    return sorted(results, key=lambda one: (-one.f1, one.position))


def _choose(results: list[ClassResult]) -> list[tuple[str, list[ClassResult]]]:
    """Return the best and the worst classes, with a title; no class is in both."""
    n = min(_CLASSES, len(results) // 2)
    if not n:
        return [("The only class", results)]
    names = ("Best class", "Worst class") if n == 1 else ("Best classes", "Worst classes")
    return [(f"{names[0]} by F1", results[:n]), (f"{names[1]} by F1", results[-n:])]


def _describe(figure: "Figure", top: float, rows: Rows, result: ClassResult) -> None:
    name = short_names([rows.classes[result.position]], 30)[0]
    size = len(result.right) + len(result.wrong)
    write(figure, _EDGE, top + 0.12, name, fontsize=9, fontweight="bold", va="baseline")
    lines = [
        f"F1 {result.f1:.3f}",
        f"precision {result.precision:.3f}, recall {result.recall:.3f}",
        f"{len(result.right):,} of {size:,} images right",
        *_confusions(rows, result),
    ]
    for i, text in enumerate(lines):
        write(figure, _EDGE, top + 0.32 + 0.165 * i, text, fontsize=7.5, color=GREY, va="baseline")


def _confusions(rows: Rows, result: ClassResult) -> list[str]:
    """Return lines with the classes that the images are most often wrongly predicted as."""
    if not len(result.wrong):
        return []
    counts = np.bincount(rows.predicted[result.wrong], minlength=len(rows.classes))
    ranked = np.argsort(-counts, kind="stable")[:_CONFUSED]
    names = short_names([rows.classes[i] for i in ranked], 28)
    return ["confused with", *(f"   {name} ({counts[i]})" for i, name in zip(ranked, names, strict=True) if counts[i])]


def _draw_images(
    figure: "Figure", place: tuple[float, float], rows: Rows, chosen: NDArray[np.intp], read_image: ReadImage
) -> None:
    left, top = place
    if not len(chosen):
        write(figure, left, top + _CELL / 2, "none", fontsize=8.5, color=GREY, va="center")
    names = short_names(rows.classes, 18)
    for j, row in enumerate(chosen):
        correct = rows.true[row] == rows.predicted[row]
        colour, x = (BLUE if correct else VERMILION), left + j * (_CELL + _GAP)
        object_id = int(rows.object_ids[row])
        draw_image(figure, (x, top, _CELL), read_or_none(read_image, object_id), colour)
        lines = [*([] if correct else [(f"✗ {names[rows.predicted[row]]}", colour)])]
        lines.append((f"{'✓ ' if correct else ''}{rows.confidence[row]:.0%}   id {object_id}", GREY))
        write_lines(figure, x, top + _CELL + 0.06, lines)
