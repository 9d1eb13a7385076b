"""Confusion matrix: counts, shaded by their share of the row."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags
from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    LINE,
    TEXT,
    VERMILION,
    in_inches,
    new_figure,
    png,
    short_names,
    write,
)
from art_pipeline.evaluation.metrics import confusion_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# From the lightest visible tint to a shade on which white numbers are readable.
SHADES = {
    "correct": ("#e3eff8", "#7ab6dc", BLUE, "#003f66"),
    "wrong": ("#fdeadc", "#f0a064", VERMILION, "#7d3600"),
    "together": ("#f1f3f5", "#cdd2d8", "#8b939c", "#4a5158"),
}
_WHITE_TEXT_FROM = 0.58
MOST = 100  # classes or labels that a figure shows; the table has all


def plot_confusion_matrix(predictions: pd.DataFrame) -> bytes:
    """Plot the confusion matrix: rows are true classes, columns predicted classes.

    A cell shows the number of images (nothing for 0). Its shade is the share of the row, blue on the diagonal and
    vermilion elsewhere. The figure grows with the number of classes, up to the 100 largest; long names are truncated.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).

    Returns:
        A PNG: a square of 1.8 to 12.5 inches for 2 to 50 classes, plus the names.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    return png(_draw, confusion_table(predictions), crop=True)


def _draw(table: pd.DataFrame) -> "Figure":
    diagonal = np.eye(len(table), dtype=bool)
    return draw_matrix(
        table,
        support=table.to_numpy().sum(axis=1),
        parts={"correct": diagonal, "wrong": ~diagonal},
        texts=("Confusion matrix", "predicted class", "true class (images)"),
    )


def draw_matrix(
    table: pd.DataFrame, *, support: NDArray[np.int64], parts: Mapping[str, Flags], texts: tuple[str, str, str]
) -> "Figure":
    """Draw cells of a fixed size in inches; the crop then makes room for the names.

    Args:
        table: ``(k, k)`` numbers of images; the index has the names.
        support: ``(k,)`` numbers of images of the rows.
        parts: Which cells, ``(k, k)`` bool, have which of `SHADES`.
        texts: The title, and the labels of the horizontal and the vertical axis.
    """
    table, support, parts, texts = _largest(table, support, parts, texts)
    k = len(table)
    side = k * float(np.interp(k, (2, 10, 50), (0.9, 0.5, 0.25)))
    font = float(np.interp(k, (10, 50), (9, 7)))
    counts = table.to_numpy()
    shares = counts / np.maximum(support[:, None], 1)
    figure = new_figure(side + 1, side + 1)
    axes = figure.add_axes(in_inches(figure, 0, 1, side, side))
    shades = [_shade_cells(axes, counts, shares, name, cells) for name, cells in parts.items()]
    _draw_colour_bars(figure, side + 0.25, 1, shades)
    _write_counts(axes, counts, shares, font - 0.5)
    _label_axes(axes, short_names(table.index, 28), support, font)
    title, *labels = texts
    axes.set_title(title)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    return figure


def _largest(
    table: pd.DataFrame, support: NDArray[np.int64], parts: Mapping[str, Flags], texts: tuple[str, str, str]
) -> tuple[pd.DataFrame, NDArray[np.int64], Mapping[str, Flags], tuple[str, str, str]]:
    """Return what `draw_matrix` takes, of the `MOST` names with the most images, in their order."""
    if len(table) <= MOST:
        return table, support, parts, texts
    kept = np.sort(np.argsort(-support, kind="stable")[:MOST])
    title = f"{texts[0]}: the {MOST} largest of {len(table):,}"
    cells = np.ix_(kept, kept)
    return (
        table.iloc[kept, kept],
        support[kept],
        {name: part[cells] for name, part in parts.items()},
        (title, *texts[1:]),
    )


def _shade_cells(
    axes: "Axes", counts: NDArray[np.int64], shares: NDArray[np.float64], name: str, cells: Flags
) -> "Colormap":
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list(name, SHADES[name])
    axes.pcolormesh(np.ma.masked_where(~cells | (counts == 0), shares), cmap=shades, vmin=0, vmax=1)
    return shades


def _draw_colour_bars(figure: "Figure", left: float, top: float, shades: list["Colormap"]) -> None:
    """Draw the colour bars side by side with one scale, the share of the row."""
    ramp = np.linspace(0, 1, 256)[:, None]
    for i, colours in enumerate(shades):
        bar = figure.add_axes(in_inches(figure, left + 0.17 * i, top, 0.13, 1.5))
        bar.imshow(ramp, cmap=colours, aspect="auto", origin="lower", extent=(0, 1, 0, 1))
        bar.set(xticks=(), yticks=())
        bar.spines[:].set_visible(False)
        bar.set_xlabel(colours.name, rotation=90, fontsize=7.5, labelpad=3)
    bar.yaxis.tick_right()
    bar.set_yticks(np.linspace(0, 1, 5), [f"{share:.0%}" for share in np.linspace(0, 1, 5)], fontsize=7.5)
    bar.tick_params(length=0, pad=4)
    write(figure, left, top - 0.1, "share of row", fontsize=7.5)


def _write_counts(axes: "Axes", counts: NDArray[np.int64], shares: NDArray[np.float64], font: float) -> None:
    for i, j in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[i, j] > _WHITE_TEXT_FROM else TEXT
        axes.text(j + 0.5, i + 0.52, str(counts[i, j]), ha="center", va="center", fontsize=font, color=colour)


def _label_axes(axes: "Axes", names: list[str], support: NDArray[np.int64], font: float) -> None:
    k = len(names)
    axes.set(xlim=(0, k), ylim=(k, 0))
    axes.set_xticks(np.arange(k) + 0.5, names, rotation=90, fontsize=font)
    rows = [f"{name} ({n})" for name, n in zip(names, support, strict=True)]
    axes.set_yticks(np.arange(k) + 0.5, rows, fontsize=font)
    axes.tick_params(length=0)
    lines = np.arange(k + 1)
    axes.hlines(lines, 0, k, color=LINE, linewidth=0.6, clip_on=False)
    axes.vlines(lines, 0, k, color=LINE, linewidth=0.6, clip_on=False)
    axes.spines[:].set_visible(False)
