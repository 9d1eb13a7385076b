"""Stacked bars of the images of each class or label: by split, and before and after augmentation."""

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

SPLITS = ["train", "validation", "test"]
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)


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
    return png(_draw_bars, counts, "Images per class", _COLOURS, lambda row: f"{row.sum():,}", 1.08)


def plot_label_distribution(labels: pd.DataFrame, splits: "pd.Series[str]") -> bytes:
    """Plot the number of images of each label, stacked by split, and the number of labels per image.

    Args:
        labels: (n, k) bool, one row per image and one column per label.
        splits: (n,) the split of each image: train, validation or test.

    Returns:
        A PNG, 9 inches wide; its height grows with the number of labels. An image with several labels is counted in
        the bar of each.

    Raises:
        EvaluationError: There are no labels.
    """
    counts = count_labels(labels, splits)
    _require_classes(counts)
    per_image = pd.crosstab(labels.sum(axis=1).to_numpy(), splits.to_numpy()).reindex(columns=SPLITS, fill_value=0)
    return png(_draw_labels, counts, per_image.reindex(range(int(per_image.index.max()) + 1), fill_value=0))


def count_labels(labels: pd.DataFrame, splits: "pd.Series[str]") -> pd.DataFrame:
    """Count the images of each label and split: index label, columns `SPLITS`."""
    return pd.DataFrame({split: labels.to_numpy()[splits == split].sum(axis=0) for split in SPLITS}, labels.columns)


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
    figure = new_figure(9, _height(len(counts)), layout="constrained")
    _draw_classes(figure.add_subplot(), counts, title, colours, label, axis_length)
    return figure


def _height(k: int) -> float:
    """Return the height in inches of a figure with k bars."""
    return k * float(np.interp(k, (10, 50), (0.3, 0.2))) + 1.1


def _draw_classes(
    axes: "Axes",
    counts: pd.DataFrame,
    title: str,
    colours: Sequence[str],
    label: Callable[["pd.Series[int]"], str],
    axis_length: float,
) -> None:
    ordered = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    _stack(axes, ordered, colours)
    _label(axes, ordered, label, axis_length)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(ordered.columns), fontsize=8.5)
    axes.set_title(title)


def _draw_labels(counts: pd.DataFrame, per_image: pd.DataFrame) -> "Figure":
    figure = new_figure(9, _height(len(counts)) + 2.2, layout="constrained")
    top, bottom = figure.subplots(2, 1, height_ratios=(_height(len(counts)), 2.2))
    _draw_classes(top, counts, "Images per label", _COLOURS, lambda row: f"{row.sum():,}", 1.08)
    _draw_per_image(bottom, per_image)
    return figure


def _draw_per_image(axes: "Axes", counts: pd.DataFrame) -> None:
    """Draw the numbers of images with 0, 1, 2, … labels."""
    bottom = np.zeros(len(counts))
    for split, colour in zip(counts.columns, _COLOURS, strict=False):
        values = counts[split].to_numpy(dtype=np.float64)
        label = f"{split} ({int(values.sum()):,})"
        axes.bar(
            counts.index, values, bottom=bottom, color=colour, width=0.78, label=label, edgecolor="white", linewidth=0.4
        )
        bottom += values
    for x, total in zip(counts.index, bottom, strict=True):
        axes.annotate(
            f"{int(total):,}", (x, total), (0, 2), textcoords="offset points", ha="center", fontsize=8, color=GREY
        )
    mean = float((counts.index.to_numpy() * bottom).sum() / max(bottom.sum(), 1))
    axes.set_title(f"Labels per image: {mean:.1f} on average")
    axes.set(xlim=(-0.6, len(counts) - 0.4), xlabel="labels", ylabel="images")
    axes.margins(y=0.12)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(counts.columns), fontsize=8.5)
    for axis in (axes.xaxis, axes.yaxis):
        set_ticks(axis, integer=True)
    style_grid(axes, "y")
    axes.tick_params(labelsize=8, labelcolor=GREY)


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
