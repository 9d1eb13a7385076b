"""Training images: square, of one size, in colour."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.progress import titled
from art_pipeline.errors import ModelError, StorageError
from art_pipeline.generate.options import MIN_IMAGES
from art_pipeline.images.standardize import read_rgb, resize

log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]
MEGABYTE = 1_000_000
OK, GREY, SMALL, LONG = "ok", "grey", "too_small", "too_long"


@dataclass(frozen=True)
class SquareImages:
    """Images of one size.

    Attributes:
        names: Unique names, in the order of the pixels.
        pixels: (n, size, size, 3) uint8, RGB.
        statuses: Columns ``image`` and ``status`` of all images that were asked for.
    """

    names: tuple[str, ...]
    pixels: Pixels
    statuses: pd.DataFrame

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def read(cls, files: Sequence[tuple[str, Path]], size: int, max_ratio: float) -> Self:
        """Read images, cut out their central squares, and resize these.

        Args:
            files: Unique names and image files.
            size: Height and width, in pixels.
            max_ratio: Longest side to shortest side, beyond which an image is left out.

        Returns:
            The images that can be used. Left out, with a status, are those that are ``grey``, ``too_small`` (the
            shortest side is less than ``size``), ``too_long``, ``missing`` or ``undecodable``.
        """
        read = partial(_read, size=size, max_ratio=max_ratio)
        found = list(map_ordered(read, [path for _, path in files], cpu_count()))
        names = [name for name, _ in files]
        statuses = pd.DataFrame({"image": names, "status": [status for status, _ in found]}, dtype=str)
        usable = [(name, square) for name, (_, square) in zip(names, found, strict=True) if square is not None]
        pixels = np.stack([square for _, square in usable]) if usable else np.empty((0, size, size, 3), np.uint8)
        _log_left_out(statuses)
        return cls(tuple(name for name, _ in usable), pixels, statuses)


def _read(path: Path, size: int, max_ratio: float) -> tuple[str, Pixels | None]:
    try:
        pixels = read_rgb(path)
    except StorageError:
        return "undecodable" if path.exists() else "missing", None
    sides = pixels.shape[:2]
    if min(sides) < size:
        return SMALL, None
    if max(sides) > max_ratio * min(sides):
        return LONG, None
    square = resize(centre(pixels), size, size)
    return (GREY, None) if is_grey(square) else (OK, square)


def centre(pixels: Pixels) -> Pixels:
    """Return the central square of a (height, width, 3) image."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def is_grey(pixels: Pixels) -> bool:
    """Return whether all channels of a (height, width, 3) image are equal."""
    return bool((pixels == pixels[:, :, :1]).all())


def _log_left_out(statuses: pd.DataFrame) -> None:
    counts = statuses.loc[statuses["status"] != OK, "status"].value_counts().sort_index()
    if len(counts):
        text = ", ".join(f"{count} {str(status).replace('_', ' ')}" for status, count in counts.items())
        log.warning("%s", titled(f"{counts.sum()} of {len(statuses)} images are left out: {text}."))


def most_images(size: int, megabytes: float) -> int:
    """Return how many images fit into so much memory.

    >>> most_images(64, 100)
    8138
    """
    return max(MIN_IMAGES, int(megabytes * MEGABYTE // (size * size * 3)))


def require_usable(pixels: Pixels, size: int, what: str = "training") -> Pixels:
    """Return the pixels.

    Args:
        pixels: Images.
        size: Height and width that are expected.
        what: Which images they are, for the message.

    Raises:
        ModelError: There are fewer than 16 images, or they are not (n, size, size, 3) uint8.
    """
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (size, size, 3):
        raise ModelError(
            f"The {what} images have shape {pixels.shape} and type {pixels.dtype}, but (n, {size}, {size}, 3) and "
            "uint8 are needed. Read them with SquareImages.read."
        )
    if len(pixels) < MIN_IMAGES:
        raise ModelError(
            f"There are {len(pixels)} usable {what} images, but a generator needs {MIN_IMAGES} at least. Choose other "
            "labels, or fetch more objects."
        )
    return pixels
