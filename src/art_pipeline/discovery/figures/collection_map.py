"""The map of a collection, with images."""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from art_pipeline.evaluation.figures.canvas import TEXT, new_figure, png
from art_pipeline.evaluation.figures.examples import ReadImage, read_or_none

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 1400  # pixels of the longer side
_PAPER = 255
_INCHES = 9.7
_MARGIN = 0.03


def choose_cells(positions: np.ndarray, most: int) -> list[tuple[int, int, int]]:
    """Choose images for the cells of a square grid over a map.

    Args:
        positions: (n, 2) in 0..1.
        most: Largest number of cells.

    Returns:
        Column, row (from the top) and position of the image nearest to the cell's centre, of each cell with images.
    """
    side = max(int(np.sqrt(most)), 1)
    cells = np.minimum((positions * side).astype(int), side - 1)
    off_centre = np.linalg.norm(positions * side - cells - 0.5, axis=1)
    chosen: dict[tuple[int, int], int] = {}
    for image in np.argsort(off_centre, kind="stable"):
        chosen.setdefault((int(cells[image, 0]), side - 1 - int(cells[image, 1])), int(image))
    return [(column, row, image) for (column, row), image in sorted(chosen.items())]


def plot_map(
    positions: np.ndarray, clusters: np.ndarray, object_ids: np.ndarray, read_image: ReadImage, most: int
) -> bytes:
    """Plot a map: in each cell of a grid, the image nearest to its centre, and clusters' numbers at their medians.

    Args:
        positions: (n, 2) in 0..1.
        clusters: (n,) cluster of each image.
        object_ids: (n,) int64.
        read_image: Returns an object's (height, width, 3) uint8 RGB image; a missing one is drawn grey.
        most: Largest number of images that are drawn.
    """
    return png(_draw, positions, clusters, object_ids, read_image, most)


def _draw(
    positions: np.ndarray, clusters: np.ndarray, object_ids: np.ndarray, read_image: ReadImage, most: int
) -> "Figure":
    import matplotlib.patheffects as effects

    side = max(int(np.sqrt(most)), 1)
    cell = SIDE // side
    canvas = np.full((side * cell, side * cell, 3), _PAPER, np.uint8)
    for column, row, image in choose_cells(positions, most):
        _paste(canvas, column * cell, row * cell, cell, read_or_none(read_image, int(object_ids[image])))
    extent = np.append(positions.max(axis=0), 1).clip(0.2)  # t-SNE's longer side is 1
    figure = new_figure(_INCHES, _INCHES * float(extent[1] / max(extent[0], 0.2)) if extent[0] >= 0.2 else _INCHES)  # noqa: PLR2004
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(canvas, extent=(0, 1, 0, 1), interpolation="antialiased", aspect="auto")
    halo = [effects.withStroke(linewidth=3.5, foreground="white")]
    for cluster in np.unique(clusters):
        x, y = np.median(positions[clusters == cluster], axis=0)
        style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 13, "fontweight": "bold", "color": TEXT}
        axes.text(x, y, str(cluster), path_effects=halo, **style)
    axes.set(xlim=(-_MARGIN, extent[0] + _MARGIN), ylim=(-_MARGIN, extent[1] + _MARGIN), xticks=(), yticks=())
    axes.spines[:].set_visible(False)
    return figure


def _paste(canvas: np.ndarray, left: int, top: int, cell: int, image: np.ndarray | None) -> None:
    """Draw an image into a cell, whole and centred, with a margin of one pixel."""
    if image is None:
        canvas[top + 1 : top + cell - 1, left + 1 : left + cell - 1] = 217
        return
    scale = (cell - 2) / max(image.shape[:2])
    height, width = (max(round(one * scale), 1) for one in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    y, x = top + (cell - height) // 2, left + (cell - width) // 2
    canvas[y : y + height, x : x + width] = small
