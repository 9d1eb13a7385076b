"""How networks were trained, on what, and how all models compare: figures as PNG bytes.

They look like those of `art_pipeline.evaluation.figures`, and give the same bytes for the same input.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.bars import draw_bars
from art_pipeline.evaluation.canvas import (
    BLUE,
    INK,
    LINE,
    ORANGE,
    QUIET,
    SKY,
    draw_image,
    new_figure,
    png,
    short_names,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["augmentation_distribution", "augmentation_examples", "comparison", "learning_curves"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_CURVES = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")
# The colours of the splits in the figure of the classes.
_SIDES = (("training", "", BLUE), ("validation", "val_", ORANGE))
# Losses that differ by more than this factor hide, on a plain scale, everything but the largest.
_WIDE = 30
_SMALLEST, _LARGEST = 1e-12, 1e30
_SHORT = 1000
_MOST_DOTS = 40
_COMPARED = {"accuracy": "Accuracy", "f1_macro": "F1 (macro)"}
_BAND = "#e3eff8"


def learning_curves(history: pd.DataFrame) -> bytes:
    """Draw loss and accuracy over the epochs, on training and, where there are any, on validation images.

    The best epoch, of lowest validation loss and the first of equals, is marked and named. The
    scale of the losses is logarithmic where they differ a lot. A loss that is not finite, or beyond
    1e30, is a gap: the network had diverged.

    Args:
        history: A row per epoch, in any order: ``epoch`` (int, from 1), ``loss``, ``accuracy``,
            ``val_loss``, ``val_accuracy`` (float); other columns are not looked at.

    Returns:
        A PNG of 5.4 by 5.6 inches, one panel above the other.

    Raises:
        EvaluationError: A column is missing, or there is no epoch.
    """
    _check_columns("history of training", history, _CURVES)
    if history.empty:
        raise EvaluationError("There are no learning curves to draw: the history of training has no epoch.")
    curves = history[list(_CURVES)].astype(np.float64)
    curves = curves.where(curves.abs() < _LARGEST)
    return png(_draw_curves, curves.sort_values("epoch", kind="stable", ignore_index=True))


def augmentation_distribution(counts: pd.DataFrame) -> bytes:
    """Draw the training images of each class before and after augmentation, the largest on top.

    Args:
        counts: Index class (str), int columns ``original`` and ``generated``.

    Returns:
        A PNG, 9 inches wide, its height growing with the classes. At the end of a bar stands the
        number before and, where images were generated, after.

    Raises:
        EvaluationError: No class, or a column is missing.
    """
    _check_columns("table of counts", counts, ("original", "generated"))
    if counts.empty:
        raise EvaluationError("There are no classes to draw: the table of counts is empty.")
    return png(_draw_augmentation, counts[["original", "generated"]])


def augmentation_examples(rows: Sequence[tuple[str, Sequence[Image]]]) -> bytes:
    """Draw images beside the copies that were generated from them.

    Args:
        rows: Title, and the original followed by its copies: uint8 ``(height, width, 3)`` RGB of
            any size. Rows may differ in length.

    Returns:
        A PNG with a row for each; without any, a small one that says so.
    """
    return png(_draw_copies, rows) if rows else png(_draw_nothing, "No images were generated.", crop=True)


def comparison(results: Mapping[str, Mapping[str, object]]) -> bytes:
    """Draw accuracy and macro F1 of each model with their 95 % intervals, best accuracy on top.

    A band shows the interval of the panel's best model, so that overlaps can be seen.

    Args:
        results: By name of the model, what `metrics.compute_metrics` returns. An interval that
            is missing or undefined is not drawn.

    Returns:
        A PNG, 9 inches wide, its height growing with the models. Equally good models keep their order.

    Raises:
        EvaluationError: No model, or one without accuracy or macro F1.
    """
    if not results:
        raise EvaluationError("There are no models to compare.")
    for name, metrics in results.items():
        missing = [key for key in _COMPARED if metrics.get(key) is None]
        if missing:
            raise EvaluationError(f"Model {name!r} cannot be compared: its metrics have no {' and no '.join(missing)}.")
    return png(_draw_comparison, results)


def _check_columns(what: str, table: pd.DataFrame, needed: Iterable[str]) -> None:
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise EvaluationError(f"The {what} has no column {missing[0]!r}; it needs {', '.join(needed)}.")


def _draw_curves(history: pd.DataFrame) -> "Figure":
    figure = new_figure(5.4, 5.6, layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    best = _best_epoch(history)
    for axes, measure in zip(panels, ("loss", "accuracy"), strict=True):
        _draw_panel(axes, history, measure)
        if best is not None:
            _mark_best(axes, history, measure, best)
        _name_curves(axes, history, measure)
    panels[0].set_title(_title_of_curves(history, best), pad=24)
    panels[1].set_xlabel("epoch")
    return figure


def _best_epoch(history: pd.DataFrame) -> int | None:
    """Find the row of the lowest validation loss, the first of equals; None if there is none."""
    losses = history["val_loss"]
    return None if losses.isna().all() else int(losses.idxmin())


def _title_of_curves(history: pd.DataFrame, best: int | None) -> str:
    last = int(history["epoch"].iloc[-1])
    if history[["val_loss", "val_accuracy"]].isna().all(axis=None):
        return f"Learning curves: {last} epoch{'s' if last > 1 else ''}, no validation"
    if best is None:
        return "Learning curves: no validation loss is a number"
    return f"Learning curves: best epoch {int(history['epoch'][best])} of {last}"


def _draw_panel(axes: "Axes", history: pd.DataFrame, measure: str) -> None:
    dots = {"marker": "o", "markersize": 3} if len(history) <= _MOST_DOTS else {}
    for _, prefix, colour in _SIDES:
        axes.plot(history["epoch"], history[prefix + measure], color=colour, linewidth=1.6, **dots)
    first, last = history["epoch"].iloc[[0, -1]]
    axes.set(xlim=(first - 0.5, last + max(0.5, 0.015 * (last - first))), ylabel=measure)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    _scale_panel(axes, history, measure)
    axes.grid(color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _scale_panel(axes: "Axes", history: pd.DataFrame, measure: str) -> None:
    if measure == "accuracy":
        axes.set_ylim(0, 1.02)
        return
    lowest, highest = history[["loss", "val_loss"]].min().min(), history[["loss", "val_loss"]].max().max()
    if lowest > _SMALLEST and highest > _WIDE * lowest:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")  # matplotlib's own are formulas
        axes.set_ylabel("loss (logarithmic)")
    elif highest > 0:
        axes.set_ylim(0, 1.05 * highest)


def _mark_best(axes: "Axes", history: pd.DataFrame, measure: str, best: int) -> None:
    """Ring the validation curve at the best epoch, and write its value above, where no curve runs."""
    epoch, value = history["epoch"][best], history[f"val_{measure}"][best]
    axes.axvline(epoch, color=QUIET, linestyle=":", linewidth=1, zorder=1)
    axes.plot([epoch], [value], marker="o", markersize=7, color="white", markeredgecolor=INK, zorder=3)
    axes.plot([epoch], [value], marker="o", markersize=4, color=ORANGE, zorder=4)
    left, right = axes.get_xlim()
    place = (epoch - left) / (right - left)
    side = "left" if place < 1 / 3 else "right" if place > 2 / 3 else "center"
    shown = f"{value:.3f}" if abs(value) < _SHORT else f"{value:.3g}"
    text = f"epoch {int(epoch)}: validation {measure} {shown}"
    axes.annotate(
        text,
        (epoch, 1),
        (0, 4),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha=side,
        fontsize=8,
        color=INK,
    )


def _name_curves(axes: "Axes", history: pd.DataFrame, measure: str) -> None:
    """Write each curve's name at its end, the two names apart where the ends meet."""
    ends = []
    for name, prefix, _ in _SIDES:
        curve = history.set_index("epoch")[prefix + measure].dropna()
        if len(curve):
            ends.append((curve.iloc[-1], curve.index[-1], name))
    heights = [_height(axes, value) for value, _, _ in ends]
    close = len(ends) > 1 and abs(heights[0] - heights[1]) < 0.09  # noqa: PLR2004 - of the axes: a line of text
    for i, (value, epoch, name) in enumerate(ends):
        above = (heights[i], -i) > (heights[1 - i], i - 1) if close else None
        shift = 0 if above is None else 5 if above else -5
        axes.annotate(name, (epoch, value), (7, shift), textcoords="offset points", va="center", fontsize=8)


def _height(axes: "Axes", value: float) -> float:
    """Where a value stands between the lower (0) and the upper (1) edge of the axes."""
    return float((axes.transScale + axes.transLimits).transform((1, value))[1])


def _draw_augmentation(counts: pd.DataFrame) -> "Figure":
    return draw_bars(counts, "Training images per class", (BLUE, SKY), _before_and_after, room=1.14)


def _before_and_after(row: pd.Series) -> str:
    before, after = row["original"], row.sum()
    return f"{before:,}" if before == after else f"{before:,} → {after:,}"


# Inches: an image, between copies, between original and copies, around all, the header, a row's title.
_CELL, _GAP, _APART, _EDGE, _HEADER, _TITLE = 1.25, 0.12, 0.3, 0.14, 0.24, 0.26
_NARROWEST = 4.6
_LONGEST_TITLE = 52


def _draw_copies(rows: Sequence[tuple[str, Sequence[Image]]]) -> "Figure":
    copies = max(len(images) for _, images in rows) - 1
    pitch, second = _TITLE + _CELL + 0.16, _EDGE + _CELL + _APART
    width = max(second + copies * (_CELL + _GAP) - _GAP + _EDGE, _NARROWEST)
    figure = new_figure(width, _EDGE + _HEADER + len(rows) * pitch)
    for left, text in ((_EDGE, "original"), (second, "generated")):
        write(figure, left, _EDGE + 0.12, text, fontsize=8.5, color=QUIET, va="baseline")
    for i, (title, images) in enumerate(rows):
        top = _EDGE + _HEADER + i * pitch
        name = short_names([title], _LONGEST_TITLE)[0]
        write(figure, _EDGE, top + 0.17, name, fontsize=9, fontweight="bold", va="baseline")
        _draw_row(figure, top + _TITLE, second, images)
    return figure


def _draw_row(figure: "Figure", top: float, second: float, images: Sequence[Image]) -> None:
    original, *copies = images if len(images) else [None]
    draw_image(figure, (_EDGE, top, _CELL), original, BLUE)
    for i, copy in enumerate(copies):
        draw_image(figure, (second + i * (_CELL + _GAP), top, _CELL), copy, SKY)
    if not copies:
        write(figure, second, top + _CELL / 2, "none", fontsize=8.5, color=QUIET, va="center")


def _draw_nothing(text: str) -> "Figure":
    figure = new_figure(_NARROWEST, 0.5)
    write(figure, 0.05, 0.25, text, color=QUIET, va="center")
    return figure


def _draw_comparison(results: Mapping[str, Mapping[str, object]]) -> "Figure":
    names = sorted(results, key=lambda name: -_with_interval(results[name], "accuracy")[1])  # stable
    figure = new_figure(9, 0.34 * len(names) + 1.0, layout="constrained")
    figure.get_layout_engine().set(wspace=0.08)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    limits = _limits([_with_interval(results[name], key) for name in names for key in _COMPARED])
    for axes, (key, title) in zip(panels, _COMPARED.items(), strict=True):
        _draw_dots(axes, np.array([_with_interval(results[name], key) for name in names]))
        axes.set(xlim=limits, ylim=(len(names) - 0.4, -0.6))
        axes.set_title(f"{title} with 95% interval")
        _style_dots(axes)
    panels[0].set_yticks(np.arange(len(names)), short_names(names, 36))
    return figure


def _with_interval(metrics: Mapping[str, object], key: str) -> tuple[float, float, float]:
    """Give low, estimate and high; without an interval, its ends are NaN.

    The estimate is rounded as it is shown: what reads the same is equally good.
    """
    interval = metrics.get("interval_95", {}).get(key, {})
    low, high = (np.nan if interval.get(end) is None else interval[end] for end in ("low", "high"))
    return low, round(metrics[key], 3), high


def _limits(values: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Round outwards to tenths with a little air, never beyond 0 and a bit above 1."""
    low, high = np.nanmin(values), np.nanmax(values)
    return max(np.floor(low * 10 - 0.2) / 10, -0.02), min(np.ceil(high * 10 + 0.2) / 10, 1.02)


def _draw_dots(axes: "Axes", values: Floats) -> None:
    """Draw ``(models, 3)`` lows, estimates and highs, one row each; the best in blue."""
    best = values[:, 1].argmax()
    if not np.isnan(values[best]).any():
        axes.axvspan(values[best, 0], values[best, 2], color=_BAND, zorder=0)
    for i, (low, estimate, high) in enumerate(values):
        colour = BLUE if estimate == values[best, 1] else QUIET
        axes.plot((low, high), (i, i), color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot([estimate], [i], marker="o", markersize=6.5, color=colour, markeredgecolor="white")
        weight = "bold" if colour == BLUE else "normal"
        axes.annotate(
            f"{estimate:.3f}",
            (estimate, i),
            (0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=colour,
            fontweight=weight,
        )


def _style_dots(axes: "Axes") -> None:
    axes.grid(axis="x", color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.tick_params(axis="x", labelsize=8, labelcolor=QUIET)
    axes.spines[:].set_visible(False)
