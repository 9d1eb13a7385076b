"""Training images: labelled files, and their decoded pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.images.standardize import image_path, read_rgb, resize

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Examples:
    """Labelled images in a fixed order.

    Attributes:
        names: Unique names: the object id, with a suffix for an augmented image.
        labels: Class labels.
        paths: Image files.
    """

    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()

    @classmethod
    def of(cls, manifest: pd.DataFrame, images: Path) -> Self:
        """Return the original images of a manifest's rows, in their order.

        Args:
            manifest: Columns ``object_id`` and ``label``.
            images: Folder of ``<object id>.jpg``.
        """
        ids = manifest["object_id"].tolist()
        return cls(tuple(map(str, ids)), tuple(manifest["label"]), tuple(image_path(images, one) for one in ids))

    def __len__(self) -> int:
        return len(self.names)

    def __add__(self, other: "Examples") -> "Examples":
        """Concatenate."""
        return Examples(self.names + other.names, self.labels + other.labels, self.paths + other.paths)


class DecodedImages:
    """Images decoded on access and cached in memory up to a limit.

    Args:
        paths: Image files.
        sides: Height and width, in pixels, to which images are resized.
        cache_megabytes: Size of the cache; the first images are cached.
    """

    def __init__(self, paths: Sequence[Path], sides: tuple[int, int], cache_megabytes: float):
        shape = (*sides, 3)
        self._paths, self._sides = paths, sides
        self._cache = np.empty((min(len(paths), int(cache_megabytes * MEGABYTE // np.prod(shape))), *shape), np.uint8)
        self._is_cached = np.zeros(len(self._cache), bool)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return (n, height, width, 3) float32 pixels from 0 to 255."""
        pixels: NDArray[np.float32] = np.stack([self._image(one) for one in positions]).astype(np.float32)
        return pixels

    def _image(self, position: int) -> NDArray[np.uint8]:
        if position >= len(self._cache):
            return decode(self._paths[position], self._sides)
        if not self._is_cached[position]:
            self._cache[position] = decode(self._paths[position], self._sides)
            self._is_cached[position] = True
        cached: NDArray[np.uint8] = self._cache[position]
        return cached


def decode(path: Path, sides: tuple[int, int]) -> NDArray[np.uint8]:
    """Read and resize an image file to (height, width, 3) uint8, RGB."""
    return resize(read_rgb(path), *sides)


def decode_all(paths: Sequence[Path], sides: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Yield each file as (height, width, 3) uint8 RGB, in order, decoded ahead on all cores."""
    return map_ordered(partial(decode, sides=sides), paths, cpu_count())
