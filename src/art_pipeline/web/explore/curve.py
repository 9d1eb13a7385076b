"""The curve of coverage against risk, as SVG that takes its colours from the page."""

from collections.abc import Sequence
from typing import Any

import numpy as np

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 480, 260, 48, 40, 12, 24


def curve_context(curve: Sequence[Sequence[float]], selective: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the drawing shows: the line, ticks of both axes, and the point of the chosen threshold.

    Args:
        curve: (n, 3) coverage, risk, probability; see `TrainedModel`.
        selective: Coverage and risk at the threshold; None without one.
    """
    if not curve:
        return {}
    points = np.array(curve)
    top = max(0.05, float(np.ceil(20 * points[:, 1].max()) / 20))
    line = " ".join(f"{_x(one):.1f},{_y(risk, top):.1f}" for one, risk in points[:, :2].tolist())
    chosen = None
    if selective and selective["risk"] is not None:
        chosen = {"x": round(_x(selective["coverage"]), 1), "y": round(_y(selective["risk"], top), 1)}
    table = [points[min(len(points) - 1, int(np.searchsorted(points[:, 0], share)))].tolist() for share in _shares()]
    return {
        "line": line,
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "base": HEIGHT - BOTTOM,
        "x_ticks": [{"at": round(_x(one), 1), "label": f"{one:.0%}"} for one in (0, 0.25, 0.5, 0.75, 1)],
        "y_ticks": [{"at": round(_y(one * top, top), 1), "label": f"{one * top:.1%}"} for one in (0, 0.5, 1)],
        "chosen": chosen,
        "table": table,
    }


def _shares() -> list[float]:
    return [round(0.1 * one, 1) for one in range(1, 11)]


def _x(coverage: float) -> float:
    return LEFT + coverage * (WIDTH - LEFT - RIGHT)


def _y(risk: float, top: float) -> float:
    return HEIGHT - BOTTOM - risk / top * (HEIGHT - BOTTOM - TOP)
