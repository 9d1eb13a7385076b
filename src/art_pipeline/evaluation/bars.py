"""Stacked bars, one per class: what the figures of the data's distribution share."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from art_pipeline.evaluation.canvas import LINE, QUIET, new_figure, short_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _total(row: pd.Series) -> str:
    return f"{row.sum():,}"


def draw_bars(
    counts: pd.DataFrame,
    title: str,
    colours: Sequence[str],
    note: Callable[[pd.Series], str] = _total,
    room: float = 1.08,
) -> "Figure":
    """Draw a horizontal bar per class, the largest on top, equal ones in the order of the table.

    Args:
        counts: Index class (str), one integer column per part of a bar; at least one of each.
        title: Written above, on the left; the columns and their sums stand on the right.
        colours: Of the parts, used again from the first where there are more parts.
        note: Gives the text at the end of a bar from its row.
        room: Width of the axis, in lengths of the longest bar; what is above 1 is for the notes.

    Returns:
        A figure 9 inches wide, its height growing with the classes.
    """
    ordered = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    k = len(ordered)
    figure = new_figure(9, k * float(np.interp(k, (10, 50), (0.3, 0.2))) + 1.1, layout="constrained")
    axes = figure.add_subplot()
    _stack(axes, ordered, colours)
    _style(axes, ordered, note, room)
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


def _style(axes: "Axes", counts: pd.DataFrame, note: Callable[[pd.Series], str], room: float) -> None:
    k, totals = len(counts), counts.sum(axis=1).to_numpy()
    font, right = float(np.interp(k, (10, 50), (9, 7.5))), max(totals.max(), 1) * room
    axes.set(xlim=(0, right), ylim=(k - 0.4, -0.6))
    axes.set_yticks(np.arange(k), short_names(counts.index, 40), fontsize=font)
    for i, total in enumerate(totals):
        text = note(counts.iloc[i])
        axes.text(total + right * 0.006, i, text, va="center", fontsize=font - 1, color=QUIET)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="x", color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.tick_params(axis="x", labelsize=8, labelcolor=QUIET)
    axes.spines[:].set_visible(False)
