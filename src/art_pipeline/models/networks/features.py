"""What a frozen base, or a codebook, says of each image: computed once, and kept."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from art_pipeline.common.files import replace_file
from art_pipeline.common.progress import progress
from art_pipeline.errors import ModelError
from art_pipeline.models.networks.inference import features_of
from art_pipeline.models.training.images import Examples, decode_all

if TYPE_CHECKING:
    import keras

PART = 1024  # images between two savings; whole batches
NAMES, FEATURES = "images.json", "features.npy"
T = TypeVar("T")


def extract_features(base: "keras.Model", examples: Examples, size: int, folder: Path, fingerprint: str) -> None:
    """Compute the features of images, and store them for `Features`.

    Args:
        base: (n, size, size, 3) pixels from 0 to 255, to (n, features).
        examples: The images.
        size: Height and width that the base takes.
        folder: An empty folder, or one in which the same work was interrupted: it goes on there.
        fingerprint: Of all that the features depend on; what stands in the folder under another
            one is not used.
    """
    store_features(examples, folder, fingerprint, partial(decode_all, size=size), partial(features_of, base))


def store_features(
    examples: Examples,
    folder: Path,
    fingerprint: str,
    read: Callable[[Sequence[Path]], Iterator[T]],
    compute: Callable[[Iterator[T]], np.ndarray],
) -> None:
    """Compute something of images part by part, and store it for `Features`.

    Args:
        examples: The images.
        folder: As of `extract_features`.
        fingerprint: Likewise.
        read: Files to what is computed of, in order.
        compute: Some of that to (n, features) float32.
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


def _save(path: Path, array: np.ndarray) -> None:
    with replace_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)


def _join(parts: Sequence[Path], path: Path) -> None:
    """Write what parts hold into one file, a part at a time: together they may be larger than memory."""
    first, rows = _map(parts[0]), sum(len(_map(part)) for part in parts)  # one open at a time: there may be thousands
    shape = (rows, *first.shape[1:])
    header = {"descr": np.lib.format.dtype_to_descr(first.dtype), "fortran_order": False, "shape": shape}
    with replace_file(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            np.load(part).tofile(file)


def _map(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")


class Features:
    """Features of many images, on disk until they are asked for."""

    def __init__(self, folder: Path):
        self._path = folder / FEATURES
        names = json.loads((folder / NAMES).read_text(encoding="utf-8"))
        self._position = {name: position for position, name in enumerate(names)}

    @property
    def values(self) -> np.ndarray:
        """(n, features) float32 of all images: a map of the file, which takes memory where it is read."""
        return _map(self._path)

    def of(self, names: Sequence[str]) -> np.ndarray:
        """(n, features) float32 of these images, in order.

        Raises:
            ModelError: One of them was not there when the features were computed.
        """
        if missing := [name for name in names if name not in self._position]:
            raise ModelError(
                f"{self._path.parent} has no features of image {missing[0]}, nor of {len(missing) - 1} others: those "
                "it has are of another subset. Run the model again that makes them."
            )
        positions, values = [self._position[name] for name in names], self.values
        rows = np.empty((len(positions), *values.shape[1:]), values.dtype)
        with self._path.open("rb") as file:  # by the map, the system would count as ours what lies around them
            for row, position in zip(rows, positions, strict=True):
                file.seek(values.offset + position * row.nbytes)
                file.readinto(row)
        return rows

    def parts_of(self, names: Sequence[str]) -> Iterator[np.ndarray]:
        """The same, at most 1,024 images at a time; one part of none if there are none."""
        for start in range(0, max(1, len(names)), PART):
            yield self.of(names[start : start + PART])
