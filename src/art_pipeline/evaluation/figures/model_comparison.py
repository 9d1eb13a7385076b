"""The two main metrics of all models of a task, with intervals."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.figures.canvas import BLUE, GREY, new_figure, png, short_names, style_grid
from art_pipeline.evaluation.kinds import Kind, kind_of_metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS: dict[Kind, dict[str, str]] = {
    "multiclass": {"accuracy": "Accuracy", "f1_macro": "F1 (macro)"},
    "multilabel": {"f2_samples": "F2 per image", "average_precision_macro": "Average precision (macro)"},
}
_BAND = "#e3eff8"


def plot_model_comparison(results: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Plot two metrics of each model with their 95% intervals, the best model by the first metric on top.

    The metrics are accuracy and macro F1 in a multi-class task, F2 averaged over images and macro average precision in
    a multi-label task. A band shows the interval of the best model of the panel, so that overlaps are visible.

    Args:
        results: What `metrics.compute_metrics` or `multilabel.label_metrics` returns, by the model's name; of
            models of the same task. An interval that is missing or undefined is not drawn.

    Returns:
        A PNG, 9 inches wide; its height grows with the number of models. Equally good models keep their order.

    Raises:
        EvaluationError: There is no model, or one without these metrics.
    """
    if not results:
        raise EvaluationError("There are no models to compare.")
    shown = METRICS[kind_of_metrics(next(iter(results.values())))]
    for name, metrics in results.items():
        missing = [key for key in shown if metrics.get(key) is None]
        if missing:
            raise EvaluationError(f"Model {name!r} cannot be compared: its metrics lack {' and '.join(missing)}.")
    return png(_draw, results, shown)


def _draw(results: Mapping[str, Mapping[str, Any]], shown: Mapping[str, str]) -> "Figure":
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    first = next(iter(shown))
    names = sorted(results, key=lambda name: -_with_interval(results[name], first)[1])  # stable
    figure = new_figure(9, 0.34 * len(names) + 1.0, layout=ConstrainedLayoutEngine(wspace=0.08))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    limits = _limits([_with_interval(results[name], key) for name in names for key in shown])
    for axes, (key, title) in zip(panels, shown.items(), strict=True):
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
