"""Reliability diagram: how often predictions are right, against their probability."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from art_pipeline.evaluation.figures.canvas import BLUE, GREY, TEXT, VERMILION, new_figure, png, set_ticks, style_grid
from art_pipeline.evaluation.metrics import calibration_table, expected_calibration_error
from art_pipeline.evaluation.prediction_table import is_multilabel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = 0.096
_LOG_SCALE_FROM = 30  # ratio of the fullest bin to the emptiest that is not empty


class Texts(NamedTuple):
    """What the bins are about."""

    accuracy: str
    key: str
    confidence: str
    size: str


_MULTICLASS = Texts("accuracy", "accuracy", "confidence (top probability)", "images")
_MULTILABEL = Texts("share with the label", "with the label", "probability of a label", "probabilities")


def plot_calibration(predictions: pd.DataFrame) -> bytes:
    """Plot the reliability diagram, with the expected calibration error (Guo et al. 2017).

    Ten bins of equal width: of the top probability in a multi-class task, of the probabilities of all labels of all
    images in a multi-label task. Where a bar ends below the diagonal, the model is overconfident.

    Args:
        predictions: The predictions table (`art_pipeline.evaluation.predictions`).

    Returns:
        A PNG of 5.4 by 5.6 inches.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    return png(_draw, calibration_table(predictions), _MULTILABEL if is_multilabel(predictions) else _MULTICLASS)


def _draw(bins: pd.DataFrame, texts: Texts) -> "Figure":
    figure = new_figure(5.4, 5.6, layout="constrained")
    reliability, sizes = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    _draw_reliability(reliability, bins, texts)
    reliability.set_title(f"Calibration: expected calibration error {expected_calibration_error(bins):.3f}", pad=24)
    _draw_sizes(sizes, bins, texts)
    for axes in (reliability, sizes):
        style_grid(axes, spines=("left", "bottom"))
        axes.tick_params(labelsize=8)
    return figure


def _draw_reliability(axes: "Axes", bins: pd.DataFrame, texts: Texts) -> None:
    used = bins[bins["n"] > 0]
    middle, accuracy = (used["low"] + used["high"]) / 2, used["accuracy"]
    gap: dict[str, Any] = {"facecolor": "none", "edgecolor": VERMILION, "hatch": "////", "linewidth": 1}
    axes.bar(middle, accuracy, width=_BAR, color=BLUE, alpha=0.85, label=texts.key)
    axes.bar(middle, used["confidence"] - accuracy, bottom=accuracy, width=_BAR, label="gap to mean confidence", **gap)
    axes.plot((0, 1), (0, 1), color=TEXT, linestyle="--", linewidth=1, label="perfect calibration")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel=texts.accuracy)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8, borderpad=0, handlelength=1.6)


def _draw_sizes(axes: "Axes", bins: pd.DataFrame, texts: Texts) -> None:
    middle = (bins["low"] + bins["high"]) / 2
    axes.bar(middle, bins["n"], width=_BAR, color=GREY)
    for x, n in zip(middle, bins["n"], strict=True):
        if n:
            axes.annotate(f"{n:,}", (x, n), (0, 2), textcoords="offset points", ha="center", fontsize=7, color=GREY)
    used = bins.loc[bins["n"] > 0, "n"]
    if texts is _MULTILABEL and used.max() > _LOG_SCALE_FROM * used.min():
        axes.set(yscale="log", ylim=(0.5, 5 * used.max()), yticks=())
        axes.minorticks_off()
    else:
        axes.margins(y=0.3)
        set_ticks(axes.yaxis, integer=True, nbins=3)
    scale = f"{texts.size}\n(log scale)" if axes.get_yscale() == "log" else texts.size
    axes.set(xlabel=texts.confidence, ylabel=scale, xticks=np.linspace(0, 1, 11))
