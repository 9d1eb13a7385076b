"""Figures of influences: works beside the nearest earlier ones, and a graph of artists over time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from art_pipeline.discovery.figures.sheets import draw_image, whole_axes
from art_pipeline.evaluation.figures.canvas import (
    BLUE,
    GREY,
    LINE,
    SKY,
    TEXT,
    new_figure,
    png,
    short_names,
    style_grid,
    write,
)
from art_pipeline.evaluation.figures.examples import ReadImage, read_or_none

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL, _GAP, _EDGE, _CAPTION, _HEAD = 1.3, 0.22, 0.16, 0.5, 0.4  # inches
_WORKS, _ARTISTS = 8, 40
_CHARACTERS = 24
WHOLE = "whole"


def choose_works(influences: pd.DataFrame, artists: Mapping[int, str], most: int = _WORKS) -> list[int]:
    """Choose the works whose nearest earlier work is most unusual, one of each artist.

    Args:
        influences: What `art_pipeline.discovery.influences.find_influences` returns.
        artists: Artist by object id.
        most: Number of works.
    """
    first = influences[(influences["part"] == WHOLE) & (influences["rank"] == 1)]
    first = first.assign(near=-first["similarity"]).sort_values(["p_value", "near", "object_id"], kind="stable")
    chosen = {artists[one]: one for one in reversed(first["object_id"].tolist())}
    ranked = [one for one in first["object_id"].tolist() if chosen[artists[one]] == one]
    return ranked[:most]


def plot_works(
    influences: pd.DataFrame, works: list[int], captions: Mapping[int, tuple[str, str]], read_image: ReadImage
) -> bytes:
    """Plot works, each beside the nearest earlier works by other artists, by the whole and by parts.

    Args:
        influences: As for `choose_works`.
        works: Object ids.
        captions: Two lines of text by object id.
        read_image: Returns an object's (height, width, 3) uint8 RGB image; a missing one is drawn as a grey square.
    """
    return png(_draw_works, influences, works, captions, read_image)


def plot_artists(artists: pd.DataFrame) -> bytes:
    """Plot artists by year, each with a line from the nearest earlier one; the 40 with the most works.

    Args:
        artists: What `art_pipeline.discovery.influences.find_earlier_artists` returns, with a row or more.
    """
    return png(_draw_artists, artists)


def _draw_works(
    influences: pd.DataFrame, works: list[int], captions: Mapping[int, tuple[str, str]], read_image: ReadImage
) -> "Figure":
    rows = [influences[influences["object_id"] == one] for one in works]
    width = max(len(one) for one in rows)
    figure = new_figure(2 * _EDGE + (width + 1) * (_CELL + _GAP) + 0.3, _HEAD + len(works) * (_CELL + _CAPTION) + _EDGE)
    axes = whole_axes(figure)
    write(figure, _EDGE, 0.24, "work", fontsize=9, fontweight="bold", va="baseline")
    after = _EDGE + _CELL + _GAP + 0.3
    write(figure, after, 0.24, "nearest earlier works by other artists", fontsize=9, fontweight="bold", va="baseline")
    for place, (work, found) in enumerate(zip(works, rows, strict=True)):
        top = _HEAD + place * (_CELL + _CAPTION)
        draw_image(axes, (_EDGE, top, _CELL), read_or_none(read_image, work), BLUE)
        _caption(figure, _EDGE, top, [*captions.get(work, ("", ""))])
        found = found.assign(order=found["part"] != WHOLE).sort_values(["order", "part", "rank"], kind="stable")  # noqa: PLW2901
        for column, one in enumerate(found.to_dict(orient="records")):
            left = after + column * (_CELL + _GAP)
            is_whole = one["part"] == WHOLE
            draw_image(axes, (left, top, _CELL), read_or_none(read_image, one["earlier_id"]), SKY if is_whole else LINE)
            chance = "" if pd.isna(one["p_value"]) else f", p {one['p_value']:.3f}"
            how = "" if is_whole else f"by {one['part'].replace('_', ' ')}"
            measured = " ".join(filter(None, [how, f"{one['similarity']:.2f}{chance}"]))
            _caption(figure, left, top, [*captions.get(one["earlier_id"], ("", "")), measured])
    return figure


def _caption(figure: "Figure", left: float, top: float, lines: list[str]) -> None:
    for number, line in enumerate(lines):
        ink = TEXT if not number else GREY
        text = short_names([line], _CHARACTERS)[0]
        write(figure, left, top + _CELL + 0.05 + 0.13 * number, text, fontsize=6.5, color=ink, va="top")


def _draw_artists(artists: pd.DataFrame) -> "Figure":
    first = artists[artists["rank"] == 1]
    years = dict(zip(artists["earlier_artist"], artists["earlier_year"], strict=True))
    years |= dict(zip(artists["artist"], artists["year"], strict=True))
    works = dict(zip(artists["artist"], artists["works"], strict=True))
    names = sorted(years, key=lambda one: (-works.get(one, 0), one))[:_ARTISTS]
    names.sort(key=lambda one: (years[one], one))
    rows = {name: len(names) - 1 - number for number, name in enumerate(names)}
    figure = new_figure(9.6, 0.9 + 0.24 * len(names))
    axes = figure.add_axes((0.03, 0.6 / (0.9 + 0.24 * len(names)), 0.95, 0.97 - 0.6 / (0.9 + 0.24 * len(names))))
    for later, earlier, p_value in zip(first["artist"], first["earlier_artist"], first["p_value"], strict=True):
        if later in rows and earlier in rows:
            ends: dict[str, Any] = {"xy": (years[later], rows[later]), "xytext": (years[earlier], rows[earlier])}
            strong = p_value <= 0.05  # noqa: PLR2004
            line = {"arrowstyle": "-|>", "color": BLUE if strong else GREY, "linewidth": 1.2 if strong else 0.6}
            bent = {"connectionstyle": "arc3,rad=0.15", "shrinkA": 4, "shrinkB": 4}
            axes.annotate("", **ends, arrowprops=line | bent)
    axes.scatter([years[one] for one in names], [rows[one] for one in names], s=18, color=BLUE, zorder=3)
    for name, text in zip(names, short_names(names, 30), strict=True):
        axes.annotate(text, (years[name], rows[name]), (6, 0), textcoords="offset points", fontsize=7, va="center")
    span = max(np.ptp([years[one] for one in names]), 10)
    axes.set(xlim=(years[names[0]] - 0.03 * span, years[names[-1]] + 0.25 * span), ylim=(-1, len(names)), yticks=())
    style_grid(axes, "x", spines=("bottom",))
    axes.set_xlabel("median year of the works; blue: nearer than 95% of the artists of the same period")
    return figure
