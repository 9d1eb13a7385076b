"""Figures of a search: its history, the importance of parameters, and slices."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from art_pipeline.evaluation.figures.canvas import BLUE, GREY, ORANGE, new_figure, png, set_ticks, style_grid
from art_pipeline.models.search.trials import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOG_FROM = 100  # ratio of the largest to the smallest value of a parameter


def plot_history(trials: Sequence[Trial], objective: str, minimise: bool) -> bytes:
    """Plot the objective of each complete trial, and the best so far, as PNG."""
    return png(partial(_draw_history, objective=objective, minimise=minimise), trials)


def plot_slices(trials: Sequence[Trial], objective: str, keys: Sequence[str]) -> bytes:
    """Plot the objective against each parameter, later trials darker, as PNG."""
    return png(partial(_draw_slices, objective=objective, keys=keys), trials)


def plot_importances(importances: Mapping[str, float]) -> bytes:
    """Plot the share of the objective's variance that each parameter explains, as PNG."""
    return png(_draw_importances, importances)


def _draw_history(trials: Sequence[Trial], objective: str, minimise: bool) -> "Figure":
    figure = new_figure(6.0, 3.6, layout="constrained")
    axes = figure.subplots()
    complete = _complete(trials)
    numbers, values = [one.number + 1 for one in complete], _objectives(complete)
    axes.scatter(numbers, values, s=18, color=BLUE, label="trial")
    best = (np.minimum if minimise else np.maximum).accumulate(values)
    axes.step(numbers, best, where="post", color=ORANGE, label="best so far")
    pruned = [one.number + 1 for one in trials if one.state == "pruned"]
    low = min(values)
    if pruned:
        axes.scatter(pruned, [low] * len(pruned), s=18, marker="x", color=GREY, label="pruned")
    axes.set(xlabel="trial", ylabel=objective, title="History of the search")
    set_ticks(axes.xaxis, integer=True, min_n_ticks=1)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    style_grid(axes, spines=("left", "bottom"))
    return figure


def _draw_slices(trials: Sequence[Trial], objective: str, keys: Sequence[str]) -> "Figure":
    figure = new_figure(3.0 * len(keys) + 0.4, 3.0, layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(keys), sharey=True))
    for axes, key in zip(panels, keys, strict=True):
        _draw_slice(axes, [one for one in _complete(trials) if key in one.values], key)
    panels[0].set_ylabel(objective)
    return figure


def _draw_slice(axes: "Axes", trials: Sequence[Trial], key: str) -> None:
    values: list[Any] = [one.values[key] for one in trials]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        values = [str(value) for value in values]
    elif values and min(values) > 0 and max(values) > LOG_FROM * min(values):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    shades = axes.scatter(values, _objectives(trials), s=18, c=[one.number for one in trials], cmap="Blues")
    shades.set_edgecolor(BLUE)
    axes.set_xlabel(key)
    axes.margins(x=0.15)
    axes.tick_params(labelsize=8)
    style_grid(axes, spines=("left", "bottom"))


def _draw_importances(importances: Mapping[str, float]) -> "Figure":
    ordered = sorted(importances.items(), key=lambda one: one[1])
    figure = new_figure(6.0, 0.4 * len(ordered) + 1.2, layout="constrained")
    axes = figure.subplots()
    axes.barh([key for key, _ in ordered], [share for _, share in ordered], color=BLUE)
    axes.set(xlabel="share of the objective's variance", xlim=(0, 1), title="Importance of the parameters")
    style_grid(axes, spines=("left", "bottom"))
    return figure


def _objectives(trials: Sequence[Trial]) -> list[float]:
    return [one.objective for one in trials if one.objective is not None]


def _complete(trials: Sequence[Trial]) -> list[Trial]:
    return [one for one in trials if one.objective is not None]
