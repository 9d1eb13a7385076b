"""Stored features: computed once per image, and shared by all models and searches that read them.

A store is a folder of three files, and of the weights of a network. Their bytes depend on the images and the extractor
alone, not on the number of updates:

- ``extractor.json``: configuration of the extractor.
- ``index.parquet``: a row per image, sorted by ``object_id`` (int64): ``digest`` (MD5 of the image file), ``status``
  (``ok``, or the reason for missing features) and ``rows`` (int64, number of rows in ``values.npy``).
- ``values.npy``: (sum of rows, length), the rows of the images one after the other.
- ``weights``: folder of the extractor's weights, if it has any, so that the store can describe further images.

Global features have one row per image, local descriptors any number.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from art_pipeline.errors import FeatureError

EXTRACTOR, INDEX, VALUES, WEIGHTS = "extractor.json", "index.parquet", "values.npy", "weights"
AGAIN = "Run kedro run --pipelines features."
PART = 1024  # images whose features are read at a time


class Extractor(Protocol):
    """Computes features of images, each independently of the others.

    Attributes:
        length: Length of a row.
        dtype: Data type of the values.
        weights: Folder of files that it needs, which the store keeps; None for none.
    """

    length: int
    dtype: np.dtype
    weights: Path | None

    def get_config(self) -> Mapping[str, Any]:
        """Return name, version and options as JSON values: everything that the features depend on."""

    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield status and (rows, length) values of each image file, in order; no rows unless the status is ``ok``."""


@dataclass(frozen=True)
class FeatureStore:
    """Stored features of many images, read from disk on access.

    Attributes:
        folder: Folder of the store.
    """

    folder: Path

    @cached_property
    def index(self) -> pd.DataFrame:
        """The index, sorted by ``object_id``.

        Raises:
            FeatureError: The folder contains no store, or a damaged one.
        """
        try:
            return pd.read_parquet(self.folder / INDEX)
        except FileNotFoundError as error:
            raise FeatureError(f"{self.folder} contains no features. {self._remedy}") from error
        except (OSError, ValueError) as error:
            raise FeatureError(f"{self.folder / INDEX} is damaged: {error}. {self._remedy}") from error

    @property
    def _remedy(self) -> str:
        """The command that fills the store: features, features of augmented images, or encodings of a model."""
        name, above = self.folder.name, self.folder.parent.name
        names = {"04_feature": f"features_{name}"}
        stage = f"features_{above}_{name}" if above.endswith("_augmented") else names.get(above, above)
        return f"Run kedro run --pipelines {stage}."

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the extractor."""
        return read_json(self.folder / EXTRACTOR)

    @cached_property
    def values(self) -> np.ndarray:
        """All rows, memory-mapped: pages that have been read count as memory of the process, unlike those of `of`.

        Raises:
            FeatureError: The file is missing, damaged, or has other rows than the index.
        """
        try:
            values: np.ndarray = np.load(self.folder / VALUES, mmap_mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise FeatureError(f"{self.folder / VALUES} cannot be read: {error}. {self._remedy}") from error
        if len(values) != (expected := int(self.index["rows"].sum())):
            raise FeatureError(f"{self.folder / VALUES} has {len(values)} rows, not {expected}. {self._remedy}")
        return values

    @property
    def length(self) -> int:
        """Length of a row."""
        return int(self.values.shape[1])

    @property
    def blocks(self) -> tuple[int, ...]:
        """Lengths of the parts of a row, such as the statistics of a layer; one part where there are no others."""
        return tuple(self.config.get("blocks") or [self.length])

    def of(self, object_ids: Sequence[int]) -> np.ndarray:
        """Return the (n, length) global features of images, in order.

        Raises:
            FeatureError: An image has no features, or several rows.
        """
        starts, rows = self._places(object_ids)
        if (several := rows != 1).any():
            first = int(several.argmax())
            raise FeatureError(
                f"{self.folder.name}: object {object_ids[first]} has {rows[first]} rows of features; global features "
                "have one."
            )
        found = np.empty((len(rows), self.length), self.values.dtype)
        for number, block in enumerate(self._read(starts, rows)):
            found[number] = block[0]
        return found

    def rows_of(self, object_ids: Sequence[int]) -> Iterator[np.ndarray]:
        """Return an iterator over the (rows, length) local descriptors of each image, in order.

        Raises:
            FeatureError: An image has no features.
        """
        return self._read(*self._places(object_ids))

    def counts_of(self, object_ids: Sequence[int]) -> np.ndarray:
        """Return the (n,) int64 numbers of rows of images.

        Raises:
            FeatureError: An image has no features.
        """
        return self._places(object_ids)[1]

    def require_config(self, required: Mapping[str, Any]) -> None:
        """Validate some values of the extractor's configuration.

        Raises:
            FeatureError: A value differs.
        """
        stored = self.config
        for key in sorted(required):
            if stored.get(key) != required[key]:
                raise FeatureError(
                    f"The features in {self.folder.name} were computed with {key} = {stored.get(key)!r}, but "
                    f"{required[key]!r} is required. {self._remedy}"
                )

    def _read(self, starts: np.ndarray, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield a number of rows from each start."""
        values = self.values
        offset, width = values.offset, values.shape[1] * values.itemsize  # type: ignore[attr-defined]  # of a memory map
        with (self.folder / VALUES).open("rb") as file:
            for start, count in zip(starts.tolist(), rows.tolist(), strict=True):
                block = np.empty((count, values.shape[1]), values.dtype)
                file.seek(offset + start * width)
                file.readinto(block.data.cast("B")) if block.size else None
                yield block

    def _places(self, object_ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the first row and the number of rows of each image."""
        index = self.index
        ids = index["object_id"].to_numpy()
        missing = np.flatnonzero(~np.isin(object_ids, ids))
        if len(missing):
            raise FeatureError(
                f"{self.folder.name} has no features of {len(missing)} objects, such as {object_ids[missing[0]]}. "
                f"{self._remedy}"
            )
        position = np.searchsorted(ids, np.asarray(object_ids, np.int64))
        status = index["status"].to_numpy()[position]
        if (bad := status != "ok").any():
            raise FeatureError(
                f"{self.folder.name}: the image of object {object_ids[int(bad.argmax())]} has no features: "
                f"{status[bad.argmax()]}. Remove 02_intermediate/images of this run and run again, or leave the object "
                "out."
            )
        rows = index["rows"].to_numpy()
        return (np.cumsum(rows) - rows)[position], rows[position]


@dataclass(frozen=True)
class GlobalFeatures:
    """Global features of several stores, one after the other.

    Attributes:
        stores: The stores.
    """

    stores: Sequence[FeatureStore]

    @property
    def length(self) -> int:
        """Length of a row."""
        return sum(store.length for store in self.stores)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Lengths of the parts of a row; see `FeatureStore.blocks`."""
        return tuple(length for store in self.stores for length in store.blocks)

    def of(self, object_ids: Sequence[int]) -> np.ndarray:
        """Return the (n, length) float32 features of images, in order.

        Raises:
            FeatureError: An image has no features, or several rows.
        """
        found = np.empty((len(object_ids), self.length), np.float32)
        end = 0
        for store in self.stores:
            start, end = end, end + store.length
            for first in range(0, len(object_ids), PART):  # a part of a store in memory at a time
                found[first : first + PART, start:end] = store.of(object_ids[first : first + PART])
        return found

    def parts_of(self, object_ids: Sequence[int]) -> Iterator[np.ndarray]:
        """Yield the same for at most 1,024 images at a time; one empty part for no images."""
        for start in range(0, max(1, len(object_ids)), PART):
            yield self.of(object_ids[start : start + PART])


class Configured(Protocol):
    """Anything whose features a store keeps; see `Extractor`."""

    length: int
    dtype: np.dtype
    weights: Path | None

    def get_config(self) -> Mapping[str, Any]:
        """Return everything that the features depend on."""


def config_of(extractor: Configured) -> dict[str, Any]:
    """Return the configuration of an extractor as JSON stores it."""
    config = {**extractor.get_config(), "length": extractor.length, "dtype": np.dtype(extractor.dtype).str}
    stored: dict[str, Any] = json.loads(json.dumps(config))
    return stored


def read_json(file: Path) -> dict[str, Any]:
    """Return the content of ``extractor.json``.

    Raises:
        FeatureError: The file cannot be read.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FeatureError(f"{file} cannot be read: {error}. Delete its folder and run again.") from error
    return content if isinstance(content, dict) else {}
