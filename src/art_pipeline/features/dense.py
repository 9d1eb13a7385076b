"""Local descriptors on a dense grid.

A grid also describes images with few key points, such as plain vases and pale drawings, and describes whole images
better (Nowak et al. 2006, "Sampling strategies for bag-of-features image classification").
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import cv2
import numpy as np

ORIENTATIONS = 8
CELLS = 4  # per side of a patch
SIFT_LENGTH = CELLS * CELLS * ORIENTATIONS
COLOUR_LENGTH = CELLS * CELLS * 6
MIN_GRADIENT = 0.5  # sum of gradients, in grey levels per pixel of the patch, below which a patch is skipped


class LocalDescriptors(NamedTuple):
    """Local descriptors of an image.

    Attributes:
        values: (n, length) float32.
        positions: (n, 2) float32, x and y of each patch's centre, from 0 to 1.
    """

    values: np.ndarray
    positions: np.ndarray

    @classmethod
    def concatenate(cls, parts: Iterable[Self]) -> Self:
        """Join descriptors of several grids or images."""
        values, positions = zip(*parts, strict=True)
        return cls(np.concatenate(values), np.concatenate(positions))


def dense_sift(pixels: np.ndarray, cell: int, step: int) -> LocalDescriptors:
    """Compute SIFT descriptors (Lowe 2004) of upright patches on a grid.

    The histograms of gradients, 4 by 4 cells of 8 orientations with linear weights, are computed for all patches at
    once by filtering a map per orientation (Vedaldi & Fulkerson 2010, VLFeat). Patches of constant colour are skipped.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        cell: Side of a cell, in pixels.
        step: Spacing of the grid, in pixels.

    Returns:
        Descriptors of length 128, clipped to 0.2 and normalized to L2 norm 1.

    Examples:
        >>> pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
        >>> dense_sift(pixels, cell=4, step=2).values.shape
        (4, 128)
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grid = _grid(grey.shape[:2], cell, step)
    if not grid.size:
        return _none(SIFT_LENGTH)
    smooth = cv2.GaussianBlur(grey, (0, 0), max(cell / 6, 0.5))  # to the resolution of the cells
    rising = np.concatenate([np.arange(1, cell + 1), np.arange(cell - 1, 0, -1)]).astype(np.float32) / cell
    maps = cv2.sepFilter2D(_orientation_maps(smooth), cv2.CV_32F, rising, rising, borderType=cv2.BORDER_CONSTANT)
    gaussian = np.exp(-0.125 * (np.arange(CELLS) - 1.5) ** 2)
    values = grid.sample(maps, np.outer(gaussian, gaussian))
    norms = np.linalg.norm(values, axis=1)
    kept = norms > MIN_GRADIENT * cell * cell
    values = np.minimum(values[kept] / norms[kept, None], 0.2)
    return LocalDescriptors(values / np.linalg.norm(values, axis=1, keepdims=True), grid.positions[kept])


def root_sift(descriptors: LocalDescriptors) -> LocalDescriptors:
    """Return square roots of L1-normalized descriptors (RootSIFT, Arandjelović & Zisserman 2012)."""
    values = descriptors.values
    return LocalDescriptors(np.sqrt(values / values.sum(axis=1, keepdims=True)), descriptors.positions)


def local_colour(pixels: np.ndarray, cell: int, step: int) -> LocalDescriptors:
    """Compute mean and standard deviation of CIE Lab in 4 by 4 cells (Clinchant et al. 2007) of patches on a grid.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        cell: Side of a cell, in pixels.
        step: Spacing of the grid, in pixels.

    Returns:
        Descriptors of length 96, from 0 to 1.
    """
    grid = _grid(pixels.shape[:2], cell, step)
    if not grid.size:
        return _none(COLOUR_LENGTH)
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32) / 255
    mean = cv2.blur(lab, (cell, cell))
    variance = cv2.blur(lab * lab, (cell, cell)) - mean * mean
    maps = np.concatenate([mean, np.sqrt(np.maximum(variance, 0))], axis=2)
    return LocalDescriptors(grid.sample(maps, np.ones((CELLS, CELLS))), grid.positions)


class _Grid(NamedTuple):
    """Patches that lie within an image.

    Attributes:
        ys: Centres of the patches.
        xs: Centres of the patches.
        offsets: Centres of the cells, relative to that of the patch.
        step: Spacing.
        positions: As in `LocalDescriptors`.
    """

    ys: np.ndarray
    xs: np.ndarray
    offsets: tuple[int, ...]
    step: int
    positions: np.ndarray

    @property
    def size(self) -> int:
        return len(self.ys) * len(self.xs)

    def sample(self, maps: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Sample (height, width, channels) maps at the centre of each cell: (n, 16 · channels)."""
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


def _grid(shape: Sequence[int], cell: int, step: int) -> _Grid:
    height, width = shape
    margin = 2 * cell
    ys, xs = np.arange(margin, height - margin, step), np.arange(margin, width - margin, step)
    first = -(3 * cell // 2)  # the centre of a cell of odd size lies between two pixels: the later one is used
    offsets = tuple(first + position * cell for position in range(CELLS))
    x, y = np.meshgrid(xs / width, ys / height)
    positions = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    return _Grid(ys, xs, offsets, step, positions)


def _orientation_maps(grey: np.ndarray) -> np.ndarray:
    """Distribute the gradient magnitudes of a (height, width) image to the two nearest of 8 orientation maps."""
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1)))
    magnitude, angle = (result.ravel() for result in cv2.cartToPolar(dx.ravel(), dy.ravel()))
    orientation = angle * np.float32(ORIENTATIONS / (2 * np.pi))
    first = orientation.astype(np.int64)
    share = orientation - first
    maps = np.zeros((grey.size, ORIENTATIONS), np.float32)
    pixels = np.arange(grey.size)
    maps[pixels, first % ORIENTATIONS] = magnitude * (1 - share)
    maps[pixels, (first + 1) % ORIENTATIONS] = magnitude * share
    return maps.reshape(*grey.shape, ORIENTATIONS)


def _none(length: int) -> LocalDescriptors:
    return LocalDescriptors(np.empty((0, length), np.float32), np.empty((0, 2), np.float32))
