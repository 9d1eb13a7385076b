"""Sheets of clusters: the images nearest to a centre, and the farthest."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from art_pipeline.evaluation.figures.canvas import BLUE, DPI, GREY, LINE, TEXT, new_figure, png, short_names, write
from art_pipeline.evaluation.figures.examples import Image, ReadImage, read_or_none
from art_pipeline.images.standardize import resize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL, _GAP, _EDGE, _CAPTION, _HEAD = 1.3, 0.14, 0.16, 0.36, 0.62  # inches
_SMALL, _SIDE, _PITCH = 0.92, 2.7, 1.06
_COLUMNS = 6
_PAPER = "#f3f5f7"
_CHARACTERS = 21
_LINES = 4


class Cluster(NamedTuple):
    """What is shown of a cluster.

    Attributes:
        number: Its number.
        size: Number of its images.
        share: Share of all images.
        nearest: Object ids of the images nearest to the centre, the nearest first.
        farthest: Object ids of the farthest images, the farthest first.
        words: What it has more of than the whole, such as ``"Rococo 62% (of all: 5%)"``.
    """

    number: int
    size: int
    share: float
    nearest: Sequence[int]
    farthest: Sequence[int]
    words: Sequence[str]


def plot_sheet(cluster: Cluster, captions: dict[int, tuple[str, str]], read_image: ReadImage) -> bytes:
    """Plot the images of a cluster: those nearest to the centre, then the farthest.

    Args:
        cluster: The cluster.
        captions: Two lines of text by object id, such as artist and title.
        read_image: Returns an object's (height, width, 3) uint8 RGB image; a missing one is drawn as a grey square.

    Returns:
        A PNG of six images a row.
    """
    return png(_draw_sheet, cluster, captions, read_image)


def plot_overview(clusters: Sequence[Cluster], read_image: ReadImage, *, n: int = 6, far: int = 2) -> bytes:
    """Plot all clusters, a row each: what is frequent in it, the nearest images and the farthest.

    Args:
        clusters: The clusters.
        read_image: As for `plot_sheet`.
        n: Images nearest to the centre.
        far: Images farthest from it.
    """
    return png(_draw_overview, clusters, read_image, n, far)


def _draw_sheet(cluster: Cluster, captions: dict[int, tuple[str, str]], read_image: ReadImage) -> "Figure":
    parts = [("Nearest to the centre", cluster.nearest, BLUE), ("Farthest from it", cluster.farthest, GREY)]
    parts = [part for part in parts if len(part[1])]
    pitch = _CELL + _CAPTION
    rows = [-(-len(ids) // _COLUMNS) for _, ids, _ in parts]
    width = 2 * _EDGE + _COLUMNS * (_CELL + _GAP) - _GAP
    figure = new_figure(width, _HEAD + sum(0.34 + count * pitch for count in rows) + _EDGE)
    _write_head(figure, cluster)
    axes = whole_axes(figure)
    top = _HEAD
    for (name, ids, colour), count in zip(parts, rows, strict=True):
        write(figure, _EDGE, top + 0.2, name, fontsize=9, color=TEXT, fontweight="bold", va="baseline")
        top += 0.3
        for place, object_id in enumerate(ids):
            left = _EDGE + place % _COLUMNS * (_CELL + _GAP)
            box = (left, top + place // _COLUMNS * pitch, _CELL)
            draw_image(axes, box, read_or_none(read_image, object_id), colour)
            _write_caption(figure, left, box[1] + _CELL + 0.05, captions.get(object_id, ("", "")))
        top += count * pitch + 0.04
    return figure


def _write_head(figure: "Figure", cluster: Cluster) -> None:
    title = f"Cluster {cluster.number}: {cluster.size:,} images, {cluster.share:.1%} of all"
    write(figure, _EDGE, 0.26, title, fontsize=11, fontweight="bold", va="baseline")
    words = "No label is more frequent than by chance."
    if cluster.words:
        words = "More than chance: " + "; ".join(cluster.words)
    write(figure, _EDGE, 0.48, short_names([words], 130)[0], fontsize=8, color=GREY, va="baseline")


def _write_caption(figure: "Figure", left: float, top: float, lines: tuple[str, str]) -> None:
    for number, line in enumerate(lines):
        text = short_names([line], _CHARACTERS)[0]
        write(figure, left, top + 0.13 * number, text, fontsize=6.5, color=TEXT if not number else GREY, va="top")


def _draw_overview(clusters: Sequence[Cluster], read_image: ReadImage, n: int, far: int) -> "Figure":
    step = _SMALL + 0.08
    gap = 0.2
    figure = new_figure(2 * _EDGE + _SIDE + (n + far) * step + gap, 0.4 + len(clusters) * _PITCH + _EDGE)
    heads = ((_EDGE + _SIDE, "nearest to the centre", BLUE), (_EDGE + _SIDE + n * step + gap, "farthest", GREY))
    for left, text, colour in heads:
        write(figure, left, 0.26, text, fontsize=9, color=colour, va="baseline")
    axes = whole_axes(figure)
    for row, cluster in enumerate(clusters):
        top = 0.38 + row * _PITCH
        _describe(figure, top, cluster)
        images = [*((one, BLUE) for one in cluster.nearest[:n]), *((one, LINE) for one in cluster.farthest[:far])]
        near = min(n, len(cluster.nearest))
        for place, (object_id, colour) in enumerate(images):
            column = place if place < near else n + place - near
            left = _EDGE + _SIDE + column * step + (gap if place >= near else 0)
            draw_image(axes, (left, top, _SMALL), read_or_none(read_image, object_id), colour)
    return figure


def whole_axes(figure: "Figure") -> "Axes":
    """Return axes in inches over the whole figure: axes of its own for each image would take seconds."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    axes.axis("off")
    return axes


def draw_image(axes: "Axes", box: tuple[float, float, float], image: "Image | None", colour: str) -> None:
    """Draw a whole image, centred in a framed square of ``left, top, side`` inches."""
    from matplotlib.patches import Rectangle

    left, top, side = box
    axes.add_patch(Rectangle((left, top), side, side, facecolor=_PAPER, edgecolor=colour, linewidth=1.2))
    if image is None:
        axes.text(left + side / 2, top + side / 2, "no image", ha="center", va="center", color=GREY, fontsize=7)
        return
    scale = (round(side * DPI) - 4) / max(image.shape[:2])
    height, width = (max(round(one * scale), 1) for one in image.shape[:2])
    small = resize(image, height, width)
    x, y = left + (side - width / DPI) / 2, top + (side - height / DPI) / 2
    limits = {"xlim": axes.get_xlim(), "ylim": axes.get_ylim()}
    extent = (x, x + width / DPI, y + height / DPI, y)
    axes.imshow(small, extent=extent, interpolation="nearest", aspect="auto", zorder=2)  # above the square
    axes.set(**limits)


def _describe(figure: "Figure", top: float, cluster: Cluster) -> None:
    write(figure, _EDGE, top + 0.13, f"Cluster {cluster.number}", fontsize=9, fontweight="bold", va="baseline")
    write(figure, _EDGE + 0.85, top + 0.13, f"{cluster.size:,} images", fontsize=8, color=GREY, va="baseline")
    for number, text in enumerate(_shorten(cluster.words[:_LINES], 40) or ["nothing more than chance"]):
        write(figure, _EDGE, top + 0.31 + 0.155 * number, text, fontsize=7.5, color=GREY, va="baseline")


def _shorten(words: Sequence[str], length: int) -> list[str]:
    """Shorten the names in words such as ``Rococo 62% (of all: 5%)``, not their shares."""
    parts = [one.rsplit(" ", 4) for one in words]
    return [" ".join([*short_names([name], length - len(" ".join(rest)) - 1), *rest]) for name, *rest in parts]
