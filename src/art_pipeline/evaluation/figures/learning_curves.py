"""Learning curves: loss and accuracy of each epoch."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.canvas import BLUE, GREY, ORANGE, TEXT, new_figure, png, set_ticks, style_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
_CURVES = (("training", "", BLUE), ("validation", "val_", ORANGE))
# A larger ratio of largest to smallest loss needs a logarithmic scale.
_LOG_SCALE_FROM = 30
_MIN_LOSS, _MAX_LOSS = 1e-12, 1e30
_MAX_MARKERS = 40
_LABELS_OVERLAP = 0.09  # of the axes' height: one line of text


def plot_learning_curves(history: pd.DataFrame) -> bytes:
    """Plot loss and accuracy against epochs, for training and, where available, validation images.

    The best epoch (lowest validation loss, the first of equals) is marked. The loss has a logarithmic scale where it
    varies a lot. A loss that is not finite, or above 1e30, is a gap: training diverged.

    Args:
        history: One row per epoch, in any order: ``epoch`` (int, from 1), ``loss``, ``accuracy``, ``val_loss`` and
            ``val_accuracy`` (float). Other columns are ignored.

    Returns:
        A PNG of 5.4 by 5.6 inches, one panel above the other.

    Raises:
        EvaluationError: A column is missing, or there is no epoch.
    """
    missing = [name for name in _COLUMNS if name not in history.columns]
    if missing:
        raise EvaluationError(f"The training history has no column {missing[0]!r}; it needs {', '.join(_COLUMNS)}.")
    if history.empty:
        raise EvaluationError("There are no learning curves to plot: the training history has no epochs.")
    curves = history[_COLUMNS].astype(np.float64)
    curves = curves.where(curves.abs() < _MAX_LOSS)
    return png(_draw, curves.sort_values("epoch", kind="stable", ignore_index=True))


def _draw(history: pd.DataFrame) -> "Figure":
    figure = new_figure(5.4, 5.6, layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    best = _best_epoch(history)
    for axes, measure in zip(panels, ("loss", "accuracy"), strict=True):
        _draw_panel(axes, history, measure)
        if best is not None:
            _mark_best(axes, history, measure, best)
        _label_curves(axes, history, measure)
    panels[0].set_title(_title(history, best), pad=24)
    panels[1].set_xlabel("epoch")
    return figure


def _best_epoch(history: pd.DataFrame) -> int | None:
    """Return the row of the lowest validation loss, the first of equals; None if there is none."""
    losses = history["val_loss"]
    return None if losses.isna().all() else int(losses.idxmin())


def _title(history: pd.DataFrame, best: int | None) -> str:
    last = int(history["epoch"].iloc[-1])
    if history[["val_loss", "val_accuracy"]].isna().all(axis=None):
        return f"Learning curves: {last} epoch{'s' if last > 1 else ''}, no validation"
    if best is None:
        return "Learning curves: no finite validation loss"
    return f"Learning curves: best epoch {int(history['epoch'][best])} of {last}"


def _draw_panel(axes: "Axes", history: pd.DataFrame, measure: str) -> None:
    markers: dict[str, Any] = {"marker": "o", "markersize": 3} if len(history) <= _MAX_MARKERS else {}
    for _, prefix, colour in _CURVES:
        axes.plot(history["epoch"], history[prefix + measure], color=colour, linewidth=1.6, **markers)
    first, last = history["epoch"].iloc[0], history["epoch"].iloc[-1]
    axes.set(xlim=(first - 0.5, last + max(0.5, 0.015 * (last - first))), ylabel=measure)
    set_ticks(axes.xaxis, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    _set_scale(axes, history, measure)
    style_grid(axes, spines=("left", "bottom"))
    axes.tick_params(labelsize=8)


def _set_scale(axes: "Axes", history: pd.DataFrame, measure: str) -> None:
    if measure == "accuracy":
        axes.set_ylim(0, 1.02)
        return
    lowest, highest = history[["loss", "val_loss"]].min().min(), history[["loss", "val_loss"]].max().max()
    if lowest > _MIN_LOSS and highest > _LOG_SCALE_FROM * lowest:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")  # matplotlib's own formatter writes formulas
        axes.set_ylabel("loss (log scale)")
    elif highest > 0:
        axes.set_ylim(0, 1.05 * highest)


def _mark_best(axes: "Axes", history: pd.DataFrame, measure: str, best: int) -> None:
    """Mark the best epoch on the validation curve, and write its value above the axes."""
    epoch, value = history["epoch"][best], history[f"val_{measure}"][best]
    axes.axvline(epoch, color=GREY, linestyle=":", linewidth=1, zorder=1)
    axes.plot([epoch], [value], marker="o", markersize=7, color="white", markeredgecolor=TEXT, zorder=3)
    axes.plot([epoch], [value], marker="o", markersize=4, color=ORANGE, zorder=4)
    left, right = axes.get_xlim()
    position = (epoch - left) / (right - left)
    alignment = "left" if position < 1 / 3 else "right" if position > 2 / 3 else "center"
    shown = f"{value:.3f}" if abs(value) < 1000 else f"{value:.3g}"  # noqa: PLR2004
    text, place = f"epoch {int(epoch)}: validation {measure} {shown}", axes.get_xaxis_transform()
    axes.annotate(
        text, (epoch, 1), (0, 4), xycoords=place, textcoords="offset points", ha=alignment, fontsize=8, color=TEXT
    )


def _label_curves(axes: "Axes", history: pd.DataFrame, measure: str) -> None:
    """Write each curve's name at its end, the two names apart where the curves meet."""
    ends = []
    for name, prefix, _ in _CURVES:
        curve = history.set_index("epoch")[prefix + measure].dropna()
        if len(curve):
            ends.append((curve.iloc[-1], curve.index[-1], name))
    heights = [_height(axes, value) for value, _, _ in ends]
    overlap = len(ends) > 1 and abs(heights[0] - heights[1]) < _LABELS_OVERLAP
    for i, (value, epoch, name) in enumerate(ends):
        above = (heights[i], -i) > (heights[1 - i], i - 1) if overlap else None
        shift = 0 if above is None else 5 if above else -5
        axes.annotate(name, (epoch, value), (7, shift), textcoords="offset points", va="center", fontsize=8)


def _height(axes: "Axes", value: float) -> float:
    """Return the position of a value between the bottom (0) and the top (1) of the axes."""
    return float((axes.transScale + axes.transLimits).transform((1, value))[1])
