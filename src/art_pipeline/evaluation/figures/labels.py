"""Labels by support, with the average precision of each."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
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

_COLUMNS = ("class", "support", "average_precision")


def plot_labels(per_label: pd.DataFrame, n: int) -> bytes:
    """Plot the test images and the average precision of each label, the label with most images on top.

    Args:
        per_label: What `multilabel.label_table` returns.
        n: Number of test images. A label's share of them is the average precision of chance.

    Returns:
        A PNG, 9 inches wide; its height grows with the number of labels.

    Raises:
        EvaluationError: The table is empty or lacks a column.
    """
    missing = [name for name in _COLUMNS if name not in per_label]
    if missing:
        raise EvaluationError(f"The table of labels has no column {missing[0]!r}; it needs {', '.join(_COLUMNS)}.")
    if per_label.empty:
        raise EvaluationError("There are no labels to plot: the table of labels is empty.")
    return png(_draw, per_label.sort_values(["support", "class"], ascending=[False, True]), n)


def _draw(labels: pd.DataFrame, n: int) -> "Figure":
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    k = len(labels)
    font = float(np.interp(k, (10, 50), (9, 7.5)))
    figure = new_figure(
        9, k * float(np.interp(k, (10, 50), (0.3, 0.2))) + 1.1, layout=ConstrainedLayoutEngine(wspace=0.06)
    )
    support, precision = figure.subplots(1, 2, sharey=True, width_ratios=(2, 3))
    _draw_support(support, labels["support"].to_numpy(), font)
    _draw_precision(precision, labels, n, font)
    support.set(ylim=(k - 0.4, -0.6))
    support.set_yticks(np.arange(k), short_names(labels["class"], 40), fontsize=font)
    for axes in (support, precision):
        axes.tick_params(axis="x", labelsize=8, labelcolor=GREY)
    return figure


def _draw_support(axes: "Axes", support: "np.ndarray[Any, np.dtype[np.int64]]", font: float) -> None:
    most = max(int(support.max()), 1)
    axes.barh(np.arange(len(support)), support, color=SKY, height=0.7)
    for i, n in enumerate(support):
        axes.text(n + most * 0.02, i, f"{n:,}", va="center", fontsize=font - 1, color=GREY)
    axes.set_xlim(0, most * 1.18)
    axes.set_title("Test images")
    set_ticks(axes.xaxis, integer=True, nbins=5)
    style_grid(axes, "x")


def _draw_precision(axes: "Axes", labels: pd.DataFrame, n: int, font: float) -> None:
    rows, values = np.arange(len(labels)), labels["average_precision"].to_numpy(dtype=np.float64)
    chance = labels["support"].to_numpy() / max(n, 1)
    axes.hlines(rows, chance, np.where(np.isnan(values), chance, values), color=BLUE, linewidth=1.2, alpha=0.45)
    axes.plot(chance, rows, "|", color=VERMILION, markersize=7, markeredgewidth=1.4, label="chance", clip_on=False)
    axes.plot(values, rows, "o", color=BLUE, markersize=5, label="model", clip_on=False)
    for i, value in enumerate(values):
        text = "no test images" if np.isnan(value) else f"{value:.3f}"
        axes.annotate(text, (1.01, i), fontsize=font - 1, color=GREY, va="center", annotation_clip=False)
    axes.set_xlim(0, 1)
    axes.set_title("Average precision")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=2, fontsize=8, borderpad=0, handletextpad=0.3)
    style_grid(axes, "x")
