"""Predictions -> figures, as PNG bytes that are the same for the same input."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import ArtPipelineError, EvaluationError
from art_pipeline.evaluation.bars import draw_bars
from art_pipeline.evaluation.canvas import (
    BLUE,
    DPI,
    GREEN,
    INK,
    LINE,
    ORANGE,
    PURPLE,
    QUIET,
    SKY,
    VERMILION,
    draw_image,
    in_inches,
    new_figure,
    png,
    short_names,
    write,
)
from art_pipeline.evaluation.metrics import calibration_table, confusion_table, expected_calibration_error
from art_pipeline.evaluation.predictions import Rows, index_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = ["DPI", "ReadImage", "calibration", "class_distribution", "confusion_matrix", "prediction_examples"]

ReadImage = Callable[[int], "NDArray[np.uint8] | None"]

# From a tint that is just seen to a shade that still carries white numbers.
_RIGHT_SHADES = ("#e3eff8", "#7ab6dc", BLUE, "#003f66")
_WRONG_SHADES = ("#fdeadc", "#f0a064", VERMILION, "#7d3600")
_DARK_SHARE = 0.58


def confusion_matrix(predictions: pd.DataFrame) -> bytes:
    """Draw the confusion matrix: rows are true classes, columns predicted ones.

    The number is the count of objects (none where it is 0), the shade its share of the row:
    blue on the diagonal, vermilion off it. The figure grows with the classes; long names are cut.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).

    Returns:
        A PNG, `DPI` dots per inch: a square of 1.8 to 12.5 inches for 2 to 50 classes, and the names.

    Raises:
        EvaluationError: No valid predictions.
    """
    return png(_draw_confusion, confusion_table(predictions), crop=True)


def class_distribution(counts: pd.DataFrame) -> bytes:
    """Draw the objects per class as stacked bars, the largest class on top.

    Args:
        counts: Index class (str), one integer column per split (train, validation, test).

    Returns:
        A PNG, 9 inches wide, its height growing with the classes.

    Raises:
        EvaluationError: No class or no split.
    """
    if counts.empty:
        raise EvaluationError("There are no classes to draw: the table of counts is empty.")
    return png(_draw_distribution, counts)


def prediction_examples(predictions: pd.DataFrame, read_image: ReadImage, *, n: int = 8) -> bytes:
    """Draw the objects the model is most sure of, right and wrong, and those it is least sure of.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).
        read_image: Gives an object's image, uint8 ``(height, width, 3)`` RGB. An image that
            it has not (None, or an `OSError`, `LookupError` or `ArtPipelineError`) is drawn grey.
        n: Objects per row, 1 or more.

    Returns:
        A PNG of three rows; under each image its true class, the predicted one, its
        probability and the object's id. Ties go to the lower id.

    Raises:
        EvaluationError: No valid predictions, or `n` is below 1.
    """
    if n < 1:
        raise EvaluationError(f"Cannot draw {n} examples a row: ask for at least 1.")
    return png(_draw_examples, index_rows(predictions), read_image, n)


def calibration(predictions: pd.DataFrame) -> bytes:
    """Draw the reliability diagram of the top probability, with its ECE (Guo et al. 2017).

    Ten bins of equal width; where a bar ends below the diagonal, the model is too sure.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).

    Returns:
        A PNG of 5.4 by 5.6 inches.

    Raises:
        EvaluationError: No valid predictions.
    """
    return png(_draw_calibration, calibration_table(predictions))


def _draw_confusion(table: pd.DataFrame) -> "Figure":
    """Place the cells in inches; the crop then gives the names what room they need."""
    k = len(table)
    side = k * float(np.interp(k, (2, 10, 50), (0.9, 0.5, 0.25)))
    font = float(np.interp(k, (10, 50), (9, 7)))
    counts = table.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = new_figure(side + 1, side + 1)
    axes = figure.add_axes(in_inches(figure, 0, 1, side, side))
    shades = _shade_cells(axes, counts, shares)
    _draw_key(figure, side + 0.25, 1, shades)
    _write_counts(axes, counts, shares, font - 0.5)
    _name_cells(axes, short_names(table.index, 28), counts.sum(axis=1), font)
    axes.set_title("Confusion matrix")
    return figure


def _shade_cells(axes: "Axes", counts: NDArray[np.int64], shares: NDArray[np.float64]) -> list["Colormap"]:
    from matplotlib.colors import LinearSegmentedColormap

    own = np.eye(len(counts), dtype=bool)
    right = LinearSegmentedColormap.from_list("right", _RIGHT_SHADES)
    wrong = LinearSegmentedColormap.from_list("wrong", _WRONG_SHADES)
    for cells, shades in ((own, right), (~own, wrong)):
        axes.pcolormesh(np.ma.masked_where(~cells | (counts == 0), shares), cmap=shades, vmin=0, vmax=1)
    return [right, wrong]


def _draw_key(figure: "Figure", left: float, top: float, shades: list["Colormap"]) -> None:
    """Draw the two scales side by side over one ruler, the share of the row."""
    ramp = np.linspace(0, 1, 256)[:, None]
    for i, colours in enumerate(shades):
        key = figure.add_axes(in_inches(figure, left + 0.17 * i, top, 0.13, 1.5))
        key.imshow(ramp, cmap=colours, aspect="auto", origin="lower", extent=(0, 1, 0, 1))
        key.set(xticks=(), yticks=())
        key.spines[:].set_visible(False)
        key.set_xlabel(colours.name, rotation=90, fontsize=7.5, labelpad=3)
    key.yaxis.tick_right()
    key.set_yticks(np.linspace(0, 1, 5), [f"{share:.0%}" for share in np.linspace(0, 1, 5)], fontsize=7.5)
    key.tick_params(length=0, pad=4)
    write(figure, left, top - 0.1, "share of row", fontsize=7.5)


def _write_counts(axes: "Axes", counts: NDArray[np.int64], shares: NDArray[np.float64], font: float) -> None:
    for i, j in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[i, j] > _DARK_SHARE else INK
        axes.text(j + 0.5, i + 0.52, counts[i, j], ha="center", va="center", fontsize=font, color=colour)


def _name_cells(axes: "Axes", names: list[str], support: NDArray[np.int64], font: float) -> None:
    k = len(names)
    axes.set(xlim=(0, k), ylim=(k, 0), xlabel="predicted class", ylabel="true class (objects)")
    axes.set_xticks(np.arange(k) + 0.5, names, rotation=90, fontsize=font)
    rows = [f"{name} ({n})" for name, n in zip(names, support, strict=True)]
    axes.set_yticks(np.arange(k) + 0.5, rows, fontsize=font)
    axes.tick_params(length=0)
    lines = np.arange(k + 1)
    axes.hlines(lines, 0, k, color=LINE, linewidth=0.6, clip_on=False)
    axes.vlines(lines, 0, k, color=LINE, linewidth=0.6, clip_on=False)
    axes.spines[:].set_visible(False)


def _draw_distribution(counts: pd.DataFrame) -> "Figure":
    return draw_bars(counts, "Objects per class", (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION))


# Inches: an image, between images, above a row, below it, around all, and a row's title.
_CELL, _GAP, _HEAD, _CAPTION, _EDGE, _TITLE = 1.4, 0.14, 0.32, 0.68, 0.12, 1.54
_NARROWEST = 4.6


def _draw_examples(rows: Rows, read_image: ReadImage, n: int) -> "Figure":
    height = _HEAD + _CELL + _CAPTION
    width = max(n * (_CELL + _GAP) - _GAP + 2 * _EDGE, _NARROWEST)
    figure = new_figure(width, 3 * height + _EDGE)
    for i, (title, why, chosen) in enumerate(_choose_examples(rows, n)):
        top = _EDGE + i * height
        write(figure, _EDGE, top + 0.2, title, fontsize=10, fontweight="bold", va="baseline")
        note = why if len(chosen) else "none among the test objects"
        write(figure, _EDGE + _TITLE, top + 0.2, note, fontsize=8.5, color=QUIET, va="baseline")
        for j, row in enumerate(chosen):
            _draw_example(figure, _EDGE + j * (_CELL + _GAP), top + _HEAD - 0.04, rows, row, read_image)
    return figure


def _choose_examples(rows: Rows, n: int) -> list[tuple[str, str, NDArray[np.intp]]]:
    confidence, right = rows.probabilities.max(axis=1), rows.true == rows.predicted
    surest = np.argsort(-confidence, kind="stable")
    unsure = np.argsort(confidence, kind="stable")
    return [
        ("Confidently right", "highest probability, right class", surest[right[surest]][:n]),
        ("Confidently wrong", "highest probability, wrong class", surest[~right[surest]][:n]),
        ("Least certain", "lowest top probability, right or wrong", unsure[:n]),
    ]


def _draw_example(figure: "Figure", left: float, top: float, rows: Rows, row: int, read_image: ReadImage) -> None:
    right = rows.true[row] == rows.predicted[row]
    colour = BLUE if right else VERMILION
    object_id = int(rows.object_ids[row])
    draw_image(figure, (left, top, _CELL), _image(read_image, object_id), colour)
    true, predicted = (short_names([rows.classes[i[row]]], 19)[0] for i in (rows.true, rows.predicted))
    lines = (
        (f"true  {true}", INK),
        (f"pred.  {predicted}", colour),
        (f"{'✓' if right else '✗'}  {rows.probabilities[row].max():.0%}   no. {object_id}", QUIET),
    )
    for i, (text, ink) in enumerate(lines):
        write(figure, left, top + _CELL + 0.07 + 0.15 * i, text, fontsize=7, color=ink, va="top")


def _image(read_image: ReadImage, object_id: int) -> NDArray[np.uint8] | None:
    try:
        return read_image(object_id)
    except (OSError, LookupError, ArtPipelineError):
        return None


def _draw_calibration(bins: pd.DataFrame) -> "Figure":
    figure = new_figure(5.4, 5.6, layout="constrained")
    reliability, sizes = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    _draw_reliability(reliability, bins)
    title = f"Calibration: expected calibration error {expected_calibration_error(bins):.3f}"
    reliability.set_title(title, pad=24)
    _draw_sizes(sizes, bins)
    for axes in (reliability, sizes):
        axes.grid(color=LINE, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_reliability(axes: "Axes", bins: pd.DataFrame) -> None:
    used = bins[bins["n"] > 0]
    middle, width = (used["low"] + used["high"]) / 2, 0.096
    gap = used["confidence"] - used["accuracy"]
    axes.bar(middle, used["accuracy"], width=width, color=BLUE, alpha=0.85, label="accuracy")
    axes.bar(
        middle,
        gap,
        bottom=used["accuracy"],
        width=width,
        facecolor="none",
        edgecolor=VERMILION,
        hatch="////",
        linewidth=1,
        label="gap to mean confidence",
    )
    axes.plot((0, 1), (0, 1), color=INK, linestyle="--", linewidth=1, label="perfect calibration")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share of objects that are right")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8, borderpad=0, handlelength=1.6)


def _draw_sizes(axes: "Axes", bins: pd.DataFrame) -> None:
    middle = (bins["low"] + bins["high"]) / 2
    axes.bar(middle, bins["n"], width=0.096, color=QUIET)
    for x, n in zip(middle, bins["n"], strict=True):
        if n:
            axes.annotate(str(n), (x, n), (0, 2), textcoords="offset points", ha="center", fontsize=7, color=QUIET)
    axes.margins(y=0.3)
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=3)
    axes.set(
        xlabel="top probability of the prediction (confidence)",
        ylabel="objects",
        xticks=np.linspace(0, 1, 11),
    )
