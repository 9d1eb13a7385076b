"""Reliability diagram: accuracy against confidence."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from art_pipeline.evaluation.figures.canvas import BLUE, GREY, TEXT, VERMILION, new_figure, png, set_ticks, style_grid
from art_pipeline.evaluation.metrics import calibration_table, expected_calibration_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = 0.096


def plot_calibration(predictions: pd.DataFrame) -> bytes:
    """Plot the reliability diagram of the top probability, with the ECE (Guo et al. 2017).

    Ten bins of equal width. Where a bar ends below the diagonal, the model is overconfident.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).

    Returns:
        A PNG of 5.4 by 5.6 inches.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    return png(_draw, calibration_table(predictions))


def _draw(bins: pd.DataFrame) -> "Figure":
    figure = new_figure(5.4, 5.6, layout="constrained")
    reliability, sizes = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    _draw_reliability(reliability, bins)
    reliability.set_title(f"Calibration: expected calibration error {expected_calibration_error(bins):.3f}", pad=24)
    _draw_sizes(sizes, bins)
    for axes in (reliability, sizes):
        style_grid(axes, spines=("left", "bottom"))
        axes.tick_params(labelsize=8)
    return figure


def _draw_reliability(axes: "Axes", bins: pd.DataFrame) -> None:
    used = bins[bins["n"] > 0]
    middle, accuracy = (used["low"] + used["high"]) / 2, used["accuracy"]
    gap: dict[str, Any] = {"facecolor": "none", "edgecolor": VERMILION, "hatch": "////", "linewidth": 1}
    axes.bar(middle, accuracy, width=_BAR, color=BLUE, alpha=0.85, label="accuracy")
    axes.bar(middle, used["confidence"] - accuracy, bottom=accuracy, width=_BAR, label="gap to mean confidence", **gap)
    axes.plot((0, 1), (0, 1), color=TEXT, linestyle="--", linewidth=1, label="perfect calibration")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8, borderpad=0, handlelength=1.6)


def _draw_sizes(axes: "Axes", bins: pd.DataFrame) -> None:
    middle = (bins["low"] + bins["high"]) / 2
    axes.bar(middle, bins["n"], width=_BAR, color=GREY)
    for x, n in zip(middle, bins["n"], strict=True):
        if n:
            axes.annotate(str(n), (x, n), (0, 2), textcoords="offset points", ha="center", fontsize=7, color=GREY)
    axes.margins(y=0.3)
    set_ticks(axes.yaxis, integer=True, nbins=3)
    axes.set(xlabel="confidence (top probability)", ylabel="images", xticks=np.linspace(0, 1, 11))
