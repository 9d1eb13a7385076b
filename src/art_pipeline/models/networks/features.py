"""Features of images that a model computes once and stores: those of a frozen base, or encoded descriptors."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.files import replace_file
from art_pipeline.common.progress import progress
from art_pipeline.errors import ModelError
from art_pipeline.models.networks.inference import features_of
from art_pipeline.models.training.images import Examples, decode_all

if TYPE_CHECKING:
    import keras

PART = 1024  # images per saved part; a multiple of the batch size
NAMES, FEATURES = "images.json", "features.npy"
T = TypeVar("T")


def extract_features(base: "keras.Model", examples: Examples, size: int, folder: Path, fingerprint: str) -> None:
    """Compute the features of images with a network's base, and store them for `Features`.

    Args:
        base: (n, size, size, 3) pixels from 0 to 255, to (n, features).
        examples: Images.
        size: Height and width of the base's input.
        folder: An empty folder, or one of an interrupted run, which is resumed.
        fingerprint: Fingerprint of all inputs; parts with another one are discarded.
    """
    store_features(examples, folder, fingerprint, partial(decode_all, size=size), partial(features_of, base))


def store_features(
    examples: Examples,
    folder: Path,
    fingerprint: str,
    read: Callable[[Sequence[Path]], Iterator[T]],
    compute: Callable[[Iterator[T]], NDArray[np.float32]],
) -> None:
    """Compute features of images part by part, and store them for `Features`.

    Args:
        examples: Images.
        folder: An empty folder, or one of an interrupted run, which is resumed.
        fingerprint: Fingerprint of all inputs; parts with another one are discarded.
        read: Function from files to an iterator of items, in order.
        compute: Function from an iterator of items to (n, features) float32.
    """
    parts = {folder / f"{start}-{fingerprint}.npy": start for start in range(0, len(examples), PART)}
    for file in set(folder.iterdir()) - set(parts):
        file.unlink()
    missing = [part for part in parts if not part.exists()]
    paths = [path for part in missing for path in examples.paths[parts[part] :][:PART]]
    images = progress(read(paths), total=len(paths), what="features")
    for part in missing:
        _save(part, compute(islice(images, PART)))
    _join(list(parts), folder / FEATURES)
    (folder / NAMES).write_text(json.dumps(examples.names, indent=0) + "\n", encoding="utf-8")
    for part in parts:
        part.unlink()


def _save(path: Path, array: NDArray[np.float32]) -> None:
    with replace_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)


def _join(parts: Sequence[Path], path: Path) -> None:
    """Concatenate parts into one file, one part in memory at a time."""
    first = _map(parts[0])
    rows = sum(len(_map(part)) for part in parts)  # one open file at a time
    shape = (rows, *first.shape[1:])
    header = {"descr": np.lib.format.dtype_to_descr(first.dtype), "fortran_order": False, "shape": shape}
    with replace_file(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            np.load(part).tofile(file)


def _map(path: Path) -> "np.memmap[Any, np.dtype[np.float32]]":
    mapped: np.memmap[Any, np.dtype[np.float32]] = np.load(path, mmap_mode="r")
    return mapped


class Features:
    """Stored features of images, read from disk on access."""

    def __init__(self, folder: Path):
        self._path = folder / FEATURES
        names = json.loads((folder / NAMES).read_text(encoding="utf-8"))
        self._position = {name: position for position, name in enumerate(names)}

    @property
    def values(self) -> "np.memmap[Any, np.dtype[np.float32]]":
        """(n, features) float32 features of all images, memory-mapped."""
        return _map(self._path)

    def of(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return the (n, features) float32 features of images by name, in order.

        Raises:
            ModelError: An image has no stored features.
        """
        if missing := [name for name in names if name not in self._position]:
            raise ModelError(
                f"{self._path.parent} has no features of image {missing[0]} and {len(missing) - 1} others: they were "
                "computed for another subset. Run the model again that computes them."
            )
        positions, values = [self._position[name] for name in names], self.values
        rows = np.empty((len(positions), *values.shape[1:]), values.dtype)
        with self._path.open("rb") as file:  # a memory map would count whole pages as this process' memory
            for row, position in zip(rows, positions, strict=True):
                file.seek(values.offset + position * row.nbytes)
                file.readinto(row)
        return rows

    def parts_of(self, names: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        """Yield the same for at most 1,024 images at a time; one empty part for no images."""
        for start in range(0, max(1, len(names)), PART):
            yield self.of(names[start : start + PART])
