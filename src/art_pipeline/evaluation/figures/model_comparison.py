"""Accuracy and macro F1 of all models, with intervals."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.canvas import BLUE, GREY, new_figure, png, short_names, style_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRICS = {"accuracy": "Accuracy", "f1_macro": "F1 (macro)"}
_BAND = "#e3eff8"


def plot_model_comparison(results: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Plot accuracy and macro F1 of each model with their 95% intervals, the most accurate model on top.

    A band shows the interval of the best model of the panel, so that overlaps are visible.

    Args:
        results: What `metrics.compute_metrics` returns, by the model's name. An interval that is missing or undefined
            is not drawn.

    Returns:
        A PNG, 9 inches wide; its height grows with the number of models. Equally good models keep their order.

    Raises:
        EvaluationError: There is no model, or one without accuracy or macro F1.
    """
    if not results:
        raise EvaluationError("There are no models to compare.")
    for name, metrics in results.items():
        missing = [key for key in _METRICS if metrics.get(key) is None]
        if missing:
            raise EvaluationError(f"Model {name!r} cannot be compared: its metrics lack {' and '.join(missing)}.")
    return png(_draw, results)


def _draw(results: Mapping[str, Mapping[str, Any]]) -> "Figure":
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    names = sorted(results, key=lambda name: -_with_interval(results[name], "accuracy")[1])  # stable
    figure = new_figure(9, 0.34 * len(names) + 1.0, layout=ConstrainedLayoutEngine(wspace=0.08))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    limits = _limits([_with_interval(results[name], key) for name in names for key in _METRICS])
    for axes, (key, title) in zip(panels, _METRICS.items(), strict=True):
        _draw_dots(axes, np.array([_with_interval(results[name], key) for name in names]))
        axes.set(xlim=limits, ylim=(len(names) - 0.4, -0.6))
        axes.set_title(f"{title} with 95% interval")
        style_grid(axes, "x")
        axes.tick_params(axis="x", labelsize=8, labelcolor=GREY)
    panels[0].set_yticks(np.arange(len(names)), short_names(names, 36))
    return figure


def _with_interval(metrics: Mapping[str, Any], key: str) -> tuple[float, float, float]:
    """Return low, estimate and high; without an interval, low and high are NaN.

    The estimate is rounded as it is shown: models with the same number are equally good.
    """
    interval = metrics.get("interval_95", {}).get(key, {})
    low, high = (np.nan if interval.get(end) is None else interval[end] for end in ("low", "high"))
    return low, round(metrics[key], 3), high


def _limits(values: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Round outwards to tenths with a small margin, never below 0 or above 1 by more than that."""
    low, high = np.nanmin(values), np.nanmax(values)
    return max(np.floor(low * 10 - 0.2) / 10, -0.02), min(np.ceil(high * 10 + 0.2) / 10, 1.02)


def _draw_dots(axes: "Axes", values: NDArray[np.float64]) -> None:
    """Draw ``(models, 3)`` lows, estimates and highs, one row each; the best in blue."""
    best = values[values[:, 1].argmax()]
    if not np.isnan(best).any():
        axes.axvspan(best[0], best[2], color=_BAND, zorder=0)
    for i, (low, estimate, high) in enumerate(values):
        colour, weight = (BLUE, "bold") if estimate == best[1] else (GREY, "normal")
        axes.plot((low, high), (i, i), color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot([estimate], [i], marker="o", markersize=6.5, color=colour, markeredgecolor="white")
        style: dict[str, Any] = {"fontsize": 7.5, "color": colour, "fontweight": weight, "ha": "center"}
        axes.annotate(f"{estimate:.3f}", (estimate, i), (0, 5), textcoords="offset points", **style)
