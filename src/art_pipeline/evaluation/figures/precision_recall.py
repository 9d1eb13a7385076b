"""Precision-recall curves of a multi-label model."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags, Floats
from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
    LINE,
    ORANGE,
    TEXT,
    VERMILION,
    in_inches,
    new_figure,
    png,
    short_names,
    style_grid,
    write,
)
from art_pipeline.evaluation.prediction_rows import LabelRows, label_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ALL_UP_TO = 24  # labels; of more, the best and the worst are shown
_SHOWN = 12
_COLUMNS = 6
_RECALLS = np.linspace(0, 1, 101)
# Inches: the large panel's side, a small panel's side and the distance between two, and the margin.
_LARGE, _SMALL, _PITCH_X, _PITCH_Y, _EDGE, _AXIS = 3.6, 1.12, 1.42, 1.62, 0.12, 0.5


class Curve(NamedTuple):
    """A precision-recall curve.

    Attributes:
        recall: (m,) float64, descending to 0.
        precision: (m,) float64.
        average_precision: Area under the curve, as scikit-learn defines it.
        prevalence: Share of positive images, which is the precision of chance.
    """

    recall: Floats
    precision: Floats
    average_precision: float
    prevalence: float


def plot_precision_recall(predictions: pd.DataFrame) -> bytes:
    """Plot precision against recall: micro and macro average, and a small panel per label.

    The macro average is the mean precision of the labels at each recall. A ring marks the model's threshold. Of more
    than 24 labels, the panels show the 12 with the highest and the 12 with the lowest average precision. Labels
    without test images have no curve.

    Args:
        predictions: A multi-label predictions table (`art_pipeline.evaluation.predictions`).

    Returns:
        A PNG, 6 to 13.4 inches wide; its height grows with the number of panels.

    Raises:
        EvaluationError: The predictions are invalid.
    """
    rows = label_rows(predictions)
    return png(_draw, rows)


def _draw(rows: LabelRows) -> "Figure":
    curves = {
        j: _curve(rows.true[:, j], rows.probabilities[:, j]) for j in range(len(rows.labels)) if rows.true[:, j].any()
    }
    blocks = _blocks(curves)
    left = _EDGE + _AXIS + _LARGE + 0.5
    columns = min(_COLUMNS, max((len(panels) for _, panels in blocks), default=1))
    heights = [0.36 + -(-len(panels) // columns) * _PITCH_Y for _, panels in blocks]
    figure = new_figure(left + columns * _PITCH_X + _EDGE, max(sum(heights) + 0.2, _LARGE + 2.1))
    _draw_averages(figure, rows, curves)
    names = dict(zip(curves, short_names([rows.labels[j] for j in curves], 19), strict=True))
    for (title, panels), top in zip(blocks, np.cumsum([0.06, *heights]), strict=False):
        write(figure, left, top + 0.2, title, fontsize=10, fontweight="bold", va="baseline")
        for i, j in enumerate(panels):
            place = (left + i % columns * _PITCH_X, top + 0.36 + i // columns * _PITCH_Y)
            _draw_small(figure, place, curves[j], names[j], _operating_point(rows, j))
    return figure


def _blocks(curves: dict[int, Curve]) -> list[tuple[str, list[int]]]:
    """Return a title and the labels of each block of panels, by descending average precision."""
    ranked = sorted(curves, key=lambda j: (-round(curves[j].average_precision, 12), j))
    if len(ranked) <= _ALL_UP_TO:
        return [("Labels by average precision", ranked)] if ranked else []
    return [
        (f"The {_SHOWN} labels with the highest average precision", ranked[:_SHOWN]),
        (f"The {_SHOWN} labels with the lowest average precision", ranked[-_SHOWN:]),
    ]


def _curve(true: Flags, scores: Floats) -> Curve:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    precision, recall, _ = precision_recall_curve(true, scores)
    # The first point, recall 1 at the lowest score, is that of predicting the label for every image.
    return Curve(recall, precision, float(average_precision_score(true, scores)), float(true.mean()))


def _operating_point(rows: LabelRows, j: int) -> tuple[float, float] | None:
    """Return recall and precision at the label's threshold; None if the label is never predicted."""
    hits = int((rows.true[:, j] & rows.predicted[:, j]).sum())
    predicted = int(rows.predicted[:, j].sum())
    return (hits / int(rows.true[:, j].sum()), hits / predicted) if predicted else None


def _macro(curves: dict[int, Curve]) -> NDArray[np.float64]:
    """Return the mean precision of the labels at each of `_RECALLS`; the curves are steps."""
    at = [one.precision[::-1][np.searchsorted(one.recall[::-1], _RECALLS, side="left")] for one in curves.values()]
    mean: NDArray[np.float64] = np.mean(at, axis=0)
    return mean


def _draw_averages(figure: "Figure", rows: LabelRows, curves: dict[int, Curve]) -> None:
    axes = figure.add_axes(in_inches(figure, _EDGE + _AXIS, 0.42, _LARGE, _LARGE))
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    style_grid(axes, spines=("left", "bottom"))
    axes.tick_params(labelsize=8)
    axes.set_title("Precision and recall")
    if not curves:
        axes.text(0.5, 0.5, "no labels in the test images", ha="center", color=GREY)
        return
    for one in curves.values():
        axes.step(one.recall, one.precision, where="post", color=LINE, linewidth=0.7, zorder=1)
    micro = _curve(rows.true.ravel(), rows.probabilities.ravel())
    mean = np.mean([one.average_precision for one in curves.values()])
    labels = f"{len(curves)} label{'' if len(curves) == 1 else 's'}"
    axes.plot((), (), color=LINE, linewidth=1.2, label=f"each of {labels}")
    axes.step(_RECALLS, _macro(curves), where="pre", color=ORANGE, linewidth=2, label=f"macro average: {mean:.3f}")
    micro_label = f"micro average: {micro.average_precision:.3f}"
    axes.step(micro.recall, micro.precision, where="post", color=BLUE, linewidth=2, label=micro_label)
    _draw_micro_point(axes, rows)
    axes.plot((), (), color=VERMILION, linewidth=0.9, linestyle=(0, (2, 2)), label="chance: share of the images")
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(-0.02, -0.14), fontsize=8.5, title="average precision", borderpad=0
    )
    legend.set_alignment("left")
    legend.get_title().set_fontsize(8.5)


def _draw_micro_point(axes: "Axes", rows: LabelRows) -> None:
    hits, predicted = int((rows.true & rows.predicted).sum()), int(rows.predicted.sum())
    if predicted:
        point = (hits / int(rows.true.sum()), hits / predicted)
        _draw_ring(axes, point, BLUE, 7, "at the thresholds")


def _draw_ring(axes: "Axes", point: tuple[float, float], colour: str, size: float, label: str | None = None) -> None:
    axes.plot(
        [point[0]],
        [point[1]],
        marker="o",
        markersize=size,
        color="white",
        markeredgecolor=colour,
        markeredgewidth=1.6,
        linestyle="none",
        clip_on=False,
        zorder=5,
        label=label,
    )


def _draw_small(
    figure: "Figure", place: tuple[float, float], curve: Curve, name: str, point: tuple[float, float] | None
) -> None:
    left, top = place
    axes = figure.add_axes(in_inches(figure, left, top + 0.3, _SMALL, _SMALL))
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), xticklabels=(), yticklabels=())
    style_grid(axes, spines=("left", "bottom"))
    axes.axhline(curve.prevalence, color=VERMILION, linewidth=0.9, linestyle=(0, (2, 2)))
    axes.step(curve.recall, curve.precision, where="post", color=BLUE, linewidth=1.3, clip_on=False)
    if point:
        _draw_ring(axes, point, TEXT, 4.5)
    write(figure, left, top + 0.12, name, fontsize=7.5, va="baseline")
    write(figure, left, top + 0.25, f"{curve.average_precision:.3f}", fontsize=7.5, color=GREY, va="baseline")
