"""Images on their way into a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.images.standardize import read_rgb, stretch

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Examples:
    """Labelled images in a fixed order.

    Attributes:
        names: Of each image, unique: the object's id, with a number where it is generated.
        labels: The class of each.
        paths: The file of each.
    """

    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __add__(self, other: "Examples") -> "Examples":
        """These, and then those."""
        return Examples(self.names + other.names, self.labels + other.labels, self.paths + other.paths)


class DecodedImages:
    """Images as a network takes them, decoded when asked for, and kept as far as memory allows.

    Args:
        paths: Image files.
        size: Height and width to which they are stretched.
        memory: Megabytes of pixels that may be kept; the first images are.
    """

    def __init__(self, paths: Sequence[Path], size: int, memory: float):
        shape = (size, size, 3)
        self._paths, self._size = paths, size
        self._kept = np.empty((min(len(paths), int(memory * MEGABYTE // np.prod(shape))), *shape), np.uint8)
        self._known = np.zeros(len(self._kept), bool)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, positions: Sequence[int]) -> np.ndarray:
        """(n, size, size, 3) float32 from 0 to 255."""
        return np.stack([self._image(position) for position in positions]).astype(np.float32)

    def _image(self, position: int) -> np.ndarray:
        if position >= len(self._kept):
            return decode(self._paths[position], self._size)
        if not self._known[position]:
            self._kept[position] = decode(self._paths[position], self._size)
            self._known[position] = True
        return self._kept[position]


def decode(path: Path, size: int) -> np.ndarray:
    """Read an image file as (size, size, 3) uint8, RGB."""
    return stretch(read_rgb(path), size)


def decode_all(paths: Sequence[Path], size: int) -> Iterator[np.ndarray]:
    """(size, size, 3) uint8 of each file, in order, decoded ahead on all cores."""
    return map_ordered(partial(decode, size=size), paths, cpu_count())
