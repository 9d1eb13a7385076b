"""Images with their true and predicted labels: right, wrong and missing ones apart."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
    TEXT,
    VERMILION,
    draw_image,
    new_figure,
    png,
    short_names,
    write,
)
from art_pipeline.evaluation.figures.examples import ReadImage, read_or_none
from art_pipeline.evaluation.label_thresholds import f_beta
from art_pipeline.evaluation.prediction_rows import LabelRows, label_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL, _GAP, _EDGE, _HEAD, _LINE = 1.6, 0.2, 0.12, 0.32, 0.145  # inches
_MIN_WIDTH = 6.4
_MAX_LINES = 8
_MAX_NAME = 20
# What a line of a caption is about: mark and colour.
_MARKS = {"right": ("✓", BLUE), "wrong": ("✗", VERMILION), "missing": ("○", TEXT)}


def plot_label_examples(predictions: pd.DataFrame, read_image: ReadImage, *, n: int = 8) -> bytes:
    """Plot images with the highest, the median and the lowest F2 of their predicted labels.

    Below each image are its labels: predicted ones that are right, predicted ones that are wrong, and true ones that
    are missing, the most probable first. Of more than 8 labels, the last lines are counted.

    Args:
        predictions: A multi-label predictions table (`art_pipeline.evaluation.predictions`).
        read_image: As for `examples.plot_prediction_examples`.
        n: Images per row, 1 or more.

    Returns:
        A PNG of three rows. Among images with the same F2, those with more true labels come first, then those with the
        lower id. Images with neither a true nor a predicted label are left out, unless there are no others.

    Raises:
        EvaluationError: The predictions are invalid, or `n` is below 1.
    """
    if n < 1:
        raise EvaluationError(f"Cannot plot {n} examples per row: ask for at least 1.")
    return png(_draw, label_rows(predictions), read_image, n)


def _draw(rows: LabelRows, read_image: ReadImage, n: int) -> "Figure":
    scores = f_beta(rows.true, rows.predicted)
    blocks = _choose(rows, scores, n)
    captions = {i: _caption(rows, i) for _, _, chosen in blocks for i in chosen}
    heights = [_HEAD + _CELL + 0.3 + _LINE * max(len(captions[i]) for i in chosen) for _, _, chosen in blocks]
    width = max(n * (_CELL + _GAP) - _GAP + 2 * _EDGE, _MIN_WIDTH)
    figure = new_figure(width, sum(heights) + 0.3)
    _draw_legend(figure, sum(heights) + 0.16)
    for (title, note, chosen), top in zip(blocks, np.cumsum([0.1, *heights]), strict=False):
        write(figure, _EDGE, top + 0.2, title, fontsize=10, fontweight="bold", va="baseline")
        write(figure, _EDGE + 1.1, top + 0.2, note, fontsize=8.5, color=GREY, va="baseline")
        for j, i in enumerate(chosen):
            place = (_EDGE + j * (_CELL + _GAP), top + _HEAD - 0.04)
            object_id = int(rows.object_ids[i])
            right = np.array_equal(rows.true[i], rows.predicted[i])
            image = read_or_none(read_image, object_id)
            draw_image(figure, (*place, _CELL), image, BLUE if right else VERMILION)
            last = ("", f"F2 {scores[i]:.2f}   id {object_id}")
            _write_caption(figure, (place[0], place[1] + _CELL + 0.07), [*captions[i], last])
    return figure


def _choose(rows: LabelRows, scores: NDArray[np.float64], n: int) -> list[tuple[str, str, NDArray[np.intp]]]:
    labelled = rows.true.any(axis=1) | rows.predicted.any(axis=1)
    candidates = np.flatnonzero(labelled) if labelled.any() else np.arange(len(scores))
    rounded = np.round(scores[candidates], 12)
    best = candidates[np.lexsort((candidates, -rows.true[candidates].sum(axis=1), -rounded))]
    median = float(np.median(rounded))
    middle = candidates[np.lexsort((candidates, np.abs(rounded - median)))]
    worst = candidates[np.lexsort((candidates, -rows.true[candidates].sum(axis=1), rounded))]
    return [
        ("Highest F2", "the labels of these images are predicted best", best[:n]),
        ("Median F2", f"the median of the F2 of the images is {median:.2f}", middle[:n]),
        ("Lowest F2", "the labels of these images are predicted worst", worst[:n]),
    ]


def _caption(rows: LabelRows, i: int) -> list[tuple[str, str]]:
    """Return what each line below an image is about, and its text."""
    true, predicted = rows.true[i], rows.predicted[i]
    absent = [
        ("", text) for text, some in (("nothing predicted", predicted), ("no true label", true)) if not some.any()
    ]
    parts = {"right": true & predicted, "wrong": ~true & predicted, "missing": true & ~predicted}
    lines = [(part, j) for part, those in parts.items() for j in _by_probability(rows, i, np.flatnonzero(those))]
    names = short_names([rows.labels[j] for _, j in lines], _MAX_NAME)
    texts = [(part, f"{name}  {rows.probabilities[i, j]:.0%}") for (part, j), name in zip(lines, names, strict=True)]
    if len(texts) <= _MAX_LINES:
        return [*texts, *absent]
    kept, rest = texts[: _MAX_LINES - 1], [part for part, _ in texts[_MAX_LINES - 1 :]]
    more = ", ".join(f"{rest.count(part)} {part}" for part in _MARKS if part in rest)
    return [*kept, ("", f"and {more}"), *absent]


def _by_probability(rows: LabelRows, i: int, labels: NDArray[np.intp]) -> Iterable[int]:
    return map(int, labels[np.argsort(-rows.probabilities[i, labels], kind="stable")])


def _write_caption(figure: "Figure", place: tuple[float, float], lines: list[tuple[str, str]]) -> None:
    left, top = place
    for i, (part, text) in enumerate(lines):
        mark, colour = _MARKS.get(part, ("", GREY))
        write(figure, left, top + _LINE * i, mark, fontsize=7, color=colour, va="top")
        write(figure, left + 0.14 * bool(mark), top + _LINE * i, text, fontsize=7, color=colour, va="top")


def _draw_legend(figure: "Figure", top: float) -> None:
    texts = {"right": "predicted and true", "wrong": "predicted, not true", "missing": "true, not predicted"}
    for j, (part, text) in enumerate(texts.items()):
        mark, colour = _MARKS[part]
        write(figure, _EDGE + 1.5 * j, top, f"{mark}  {text}", fontsize=8, color=colour, va="center")
    write(figure, _EDGE + 4.5, top, "%  probability", fontsize=8, color=GREY, va="center")
