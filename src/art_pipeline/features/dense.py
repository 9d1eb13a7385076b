"""Descriptors of all places of an image, on a grid, rather than of key points alone.

Where key points are few (plain vases, pale drawings) a grid still tells of them, and for whole
images it tells more (Nowak et al. 2006, "Sampling strategies for bag-of-features image
classification").
"""

from typing import NamedTuple

import cv2
import numpy as np

ORIENTATIONS = 8
CELLS = 4  # on each side of a descriptor's square
SIFT_SIZE = CELLS * CELLS * ORIENTATIONS
COLOUR_SIZE = CELLS * CELLS * 6
# Sum of gradients, in grey levels per pixel of the square, below which it is called even: it has no shape.
EVEN = 0.5


class Described(NamedTuple):
    """Descriptors of an image.

    Attributes:
        rows: (n, size) float32.
        places: (n, 2) float32, x and y of the middle of each, from 0 to 1.
    """

    rows: np.ndarray
    places: np.ndarray


def dense_sift(pixels: np.ndarray, cell: int, step: int) -> Described:
    """SIFT descriptors (Lowe 2004) of upright squares on a grid.

    Histograms of gradients over 4 by 4 cells in 8 directions, both weighted linearly, are computed
    for all places at once by filtering a map of each direction (as Vedaldi & Fulkerson 2010 do in
    VLFeat). Squares without shape are left out.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        cell: Side of a cell, in pixels.
        step: Distance of neighbours on the grid, in pixels.

    Returns:
        Rows of 128, of length 1, none above 0.2 before they were brought to that.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grid = _grid(grey.shape, cell, step)
    if not grid.size:
        return _none(SIFT_SIZE)
    smooth = cv2.GaussianBlur(grey, (0, 0), max(cell / 6, 0.5))  # as fine as the cells can tell
    rising = np.concatenate([np.arange(1, cell + 1), np.arange(cell - 1, 0, -1)]).astype(np.float32) / cell
    maps = cv2.sepFilter2D(_directions(smooth), cv2.CV_32F, rising, rising, borderType=cv2.BORDER_CONSTANT)
    near = np.exp(-0.125 * (np.arange(CELLS) - 1.5) ** 2)  # the middle counts most
    rows = grid.cells(maps, np.outer(near, near))
    lengths = np.linalg.norm(rows, axis=1)
    shaped = lengths > EVEN * cell * cell
    rows = np.minimum(rows[shaped] / lengths[shaped, None], 0.2)
    return Described(rows / np.linalg.norm(rows, axis=1, keepdims=True), grid.places[shaped])


def local_colour(pixels: np.ndarray, cell: int, step: int) -> Described:
    """Mean and standard deviation of the colours in 4 by 4 cells (Clinchant et al. 2007), on a grid, in CIE Lab.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        cell: Side of a cell, in pixels.
        step: Distance of neighbours on the grid, in pixels.

    Returns:
        Rows of 96, from 0 to 1.
    """
    grid = _grid(pixels.shape[:2], cell, step)
    if not grid.size:
        return _none(COLOUR_SIZE)
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32) / 255
    mean = cv2.blur(lab, (cell, cell))
    variance = cv2.blur(lab * lab, (cell, cell)) - mean * mean
    maps = np.concatenate([mean, np.sqrt(np.maximum(variance, 0))], axis=2)
    return Described(grid.cells(maps, np.ones((CELLS, CELLS))), grid.places)


class _Grid(NamedTuple):
    """Middles of squares that lie inside an image, and of their cells."""

    ys: np.ndarray
    xs: np.ndarray
    offsets: tuple[int, ...]
    step: int
    places: np.ndarray

    @property
    def size(self) -> int:
        return len(self.ys) * len(self.xs)

    def cells(self, maps: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(height, width, channels) to (n, 16 · channels): what the maps say at the middle of each cell."""
        parts = [
            self._at(maps, dy, dx) * np.float32(weights[row, column])
            for row, dy in enumerate(self.offsets)
            for column, dx in enumerate(self.offsets)
        ]
        return np.concatenate(parts, axis=2).reshape(self.size, -1)

    def _at(self, maps: np.ndarray, dy: int, dx: int) -> np.ndarray:
        rows = slice(self.ys[0] + dy, self.ys[-1] + dy + 1, self.step)
        columns = slice(self.xs[0] + dx, self.xs[-1] + dx + 1, self.step)
        return maps[rows, columns]


def _grid(shape: tuple[int, int], cell: int, step: int) -> _Grid:
    height, width = shape
    reach = 2 * cell
    ys, xs = np.arange(reach, height - reach, step), np.arange(reach, width - reach, step)
    first = -(3 * cell // 2)  # of a cell of odd size the middle lies between two pixels: the later one is taken
    offsets = tuple(first + position * cell for position in range(CELLS))
    across, down = np.meshgrid(xs / width, ys / height)
    places = np.stack([across.ravel(), down.ravel()], axis=1).astype(np.float32)
    return _Grid(ys, xs, offsets, step, places)


def _directions(grey: np.ndarray) -> np.ndarray:
    """(height, width) to (height, width, 8): the gradient's strength, shared by the two directions next to it."""
    along, across = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1)))
    strength, angle = cv2.cartToPolar(along.ravel(), across.ravel())
    strength, turn = strength.ravel(), angle.ravel() * np.float32(ORIENTATIONS / (2 * np.pi))
    first = turn.astype(np.int64)
    share = turn - first
    maps = np.zeros((grey.size, ORIENTATIONS), np.float32)
    pixels = np.arange(grey.size)
    maps[pixels, first % ORIENTATIONS] = strength * (1 - share)
    maps[pixels, (first + 1) % ORIENTATIONS] = strength * share
    return maps.reshape(*grey.shape, ORIENTATIONS)


def _none(size: int) -> Described:
    return Described(np.empty((0, size), np.float32), np.empty((0, 2), np.float32))
