"""Distributions of a label over clusters, against the whole, and curves of the number of clusters."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from art_pipeline.evaluation.figures.canvas import BLUE, GREY, TEXT, VERMILION, new_figure, png, short_names, style_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VALUES = 15
_DARK = 0.55
NAMES = {"inertia": "inertia", "silhouette": "silhouette", "bic": "BIC"}


def plot_distributions(composition: pd.DataFrame, label: str) -> bytes:
    """Plot the share of each value of a label in each cluster; those above chance have a dot.

    Args:
        composition: What `art_pipeline.discovery.composition.compare_with_whole` returns.
        label: The label.

    Returns:
        A PNG: a row per cluster and one for the whole, a column for each of the 15 most frequent values.
    """
    return png(_draw, composition[composition["label"] == label], label, crop=True)


def plot_numbers(tried: list[dict[str, float]], chosen: int) -> bytes:
    """Plot what a rule computed for each number of clusters, with the number that it chose.

    Args:
        tried: Rows with ``clusters`` and ``inertia``, ``silhouette`` or ``bic``.
        chosen: The chosen number.
    """
    return png(_draw_numbers, tried, chosen)


def _draw(rows: pd.DataFrame, label: str) -> "Figure":
    whole = rows.groupby("value")["share_of_all"].first().sort_values(ascending=False, kind="stable")[:_VALUES]
    shares = rows.pivot(index="cluster", columns="value", values="share").reindex(columns=whole.index).fillna(0)
    more = rows.pivot(index="cluster", columns="value", values="is_more").reindex(columns=whole.index)
    table = np.vstack([shares.to_numpy(), whole.to_numpy()])
    figure = new_figure(2.2 + 0.52 * len(whole), 1.6 + 0.25 * len(table))
    axes = figure.add_axes((0.12, 0.05, 0.86, 0.75))
    axes.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(table):
        if share >= 0.005:  # noqa: PLR2004
            ink = "white" if share > _DARK else TEXT
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=7, color=ink)
    marks = np.argwhere(more.to_numpy() == True)  # noqa: E712
    axes.scatter(marks[:, 1] + 0.42, marks[:, 0] - 0.32, s=9, color=VERMILION, linewidths=0)
    axes.axhline(len(table) - 1.5, color="white", linewidth=3)
    axes.set_xticks(range(len(whole)), short_names(whole.index, 30), rotation=40, ha="left", fontsize=7.5)
    axes.set_yticks(range(len(table)), [*(f"Cluster {one}" for one in shares.index), "Whole"], fontsize=7.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    note = f"{label.replace('_', ' ').capitalize()}: share within each cluster. A dot: more than chance, p < 0.05."
    figure.text(0.02, 0.01, note, fontsize=8, color=GREY)
    return figure


def _draw_numbers(tried: list[dict[str, float]], chosen: int) -> "Figure":
    curves = [name for name in NAMES if name in tried[0]]
    figure = new_figure(4.2 * len(curves) + 0.4, 2.9, layout="constrained")
    numbers = [int(one["clusters"]) for one in tried]
    for place, name in enumerate(curves, start=1):
        axes: Any = figure.add_subplot(1, len(curves), place)
        axes.plot(numbers, [one[name] for one in tried], color=BLUE, marker="o", markersize=4)
        axes.axvline(chosen, color=VERMILION, linewidth=1)
        axes.set(xlabel="clusters", ylabel=NAMES[name], title=f"{chosen} clusters" if place == 1 else "")
        style_grid(axes, spines=("left", "bottom"))
    return figure
