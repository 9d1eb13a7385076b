"""Curves of a training."""

from typing import TYPE_CHECKING

import pandas as pd

from art_pipeline.evaluation.figures.canvas import BLUE, GREY, ORANGE, new_figure, png, style_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_history(history: pd.DataFrame) -> bytes:
    """Plot the kernel inception distance and the losses against steps, as PNG.

    Args:
        history: Table of `art_pipeline.generate.training.checkpoint.History`.
    """
    return png(_draw, history)


def _draw(history: pd.DataFrame) -> "Figure":
    figure = new_figure(5.4, 5.2, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    upper.errorbar(history["step"], history["kid"], history["kid_deviation"], color=BLUE, marker="o", markersize=3)
    best = history["step"][history["kid"].idxmin()]
    for axes in (upper, lower):
        axes.axvline(best, color=GREY, linestyle=":", linewidth=1, zorder=1)
        style_grid(axes, spines=("left", "bottom"))
        axes.tick_params(labelsize=8)
    upper.set_title(f"Kernel inception distance: lowest at step {best:,}")
    upper.set_ylabel("KID (validation)")
    for name, colour in (("discriminator", BLUE), ("generator", ORANGE)):
        lower.plot(history["step"], history[f"{name}_loss"], color=colour, marker="o", markersize=3, label=name)
    lower.set(xlabel="step", ylabel="loss")
    lower.legend(fontsize=8, frameon=False)
    return figure
