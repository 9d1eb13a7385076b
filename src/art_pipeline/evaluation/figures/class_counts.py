"""Stacked bars of the images of each class: by split, and before and after augmentation."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    new_figure,
    png,
    set_ticks,
    short_names,
    style_grid,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_class_distribution(counts: pd.DataFrame) -> bytes:
    """Plot the number of images of each class as bars, stacked by split, the largest class on top.

    Args:
        counts: Index class (str), one integer column per split (train, validation, test).

    Returns:
        A PNG, 9 inches wide; its height grows with the number of classes.

    Raises:
        EvaluationError: `counts` is empty.
    """
    _require_classes(counts)
    colours = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
    return png(_draw_bars, counts, "Images per class", colours, lambda row: f"{row.sum():,}", 1.08)


def plot_augmentation(counts: pd.DataFrame) -> bytes:
    """Plot the training images of each class before and after augmentation, the largest class on top.

    Args:
        counts: Index class (str), integer columns ``original`` and ``generated``.

    Returns:
        A PNG, 9 inches wide; its height grows with the number of classes. The number before and, where images were
        generated, after augmentation is at the end of each bar.

    Raises:
        EvaluationError: `counts` is empty or lacks a column.
    """
    missing = {"original", "generated"} - set(counts.columns)
    if missing:
        raise EvaluationError(f"The table of counts has no column {max(missing)!r}; it needs original, generated.")
    _require_classes(counts)
    return png(
        _draw_bars, counts[["original", "generated"]], "Training images per class", (BLUE, SKY), _before_and_after, 1.14
    )


def _require_classes(counts: pd.DataFrame) -> None:
    if counts.empty:
        raise EvaluationError("There are no classes to plot: the table of counts is empty.")


def _before_and_after(row: "pd.Series[int]") -> str:
    before, after = row["original"], row.sum()
    return f"{before:,}" if before == after else f"{before:,} → {after:,}"


def _draw_bars(
    counts: pd.DataFrame,
    title: str,
    colours: Sequence[str],
    label: Callable[["pd.Series[int]"], str],
    axis_length: float,
) -> "Figure":
    """Draw a horizontal bar per class; `label` gives the text at its end, `axis_length` is in longest bars."""
    ordered = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    k = len(ordered)
    figure = new_figure(9, k * float(np.interp(k, (10, 50), (0.3, 0.2))) + 1.1, layout="constrained")
    axes = figure.add_subplot()
    _stack(axes, ordered, colours)
    _label(axes, ordered, label, axis_length)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(ordered.columns), fontsize=8.5)
    axes.set_title(title)
    return figure


def _stack(axes: "Axes", counts: pd.DataFrame, colours: Sequence[str]) -> None:
    rows, left = np.arange(len(counts)), np.zeros(len(counts))
    for i, part in enumerate(counts.columns):
        widths = counts[part].to_numpy(dtype=np.float64)
        colour = colours[i % len(colours)]
        label = f"{part} ({int(widths.sum()):,})"
        axes.barh(rows, widths, left=left, color=colour, height=0.78, label=label, edgecolor="white", linewidth=0.6)
        left += widths


def _label(axes: "Axes", counts: pd.DataFrame, label: Callable[["pd.Series[int]"], str], axis_length: float) -> None:
    k, totals = len(counts), counts.sum(axis=1).to_numpy()
    font, right = float(np.interp(k, (10, 50), (9, 7.5))), max(totals.max(), 1) * axis_length
    axes.set(xlim=(0, right), ylim=(k - 0.4, -0.6))
    axes.set_yticks(np.arange(k), short_names(counts.index, 40), fontsize=font)
    for i, total in enumerate(totals):
        text = label(counts.iloc[i])
        axes.text(total + right * 0.006, i, text, va="center", fontsize=font - 1, color=GREY)
    set_ticks(axes.xaxis, integer=True)
    style_grid(axes, "x")
    axes.tick_params(axis="x", labelsize=8, labelcolor=GREY)
