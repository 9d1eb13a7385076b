"""Stored features: computed once per image, and shared by all models and searches that read them.

A store is a folder of three files. Their bytes depend on the images and the extractor alone, not on the number of
updates:

- ``extractor.json``: configuration of the extractor.
- ``index.parquet``: a row per image, sorted by ``object_id`` (int64): ``digest`` (MD5 of the image file), ``status``
  (``ok``, or the reason for missing features) and ``rows`` (int64, number of rows in ``values.npy``).
- ``values.npy``: (sum of rows, length), the rows of the images one after the other.

Global features have one row per image, local descriptors any number.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from art_pipeline.errors import ArtPipelineError

EXTRACTOR, INDEX, VALUES = "extractor.json", "index.parquet", "values.npy"


class FeatureError(ArtPipelineError):
    """Features are missing, or were computed by another extractor."""


class Extractor(Protocol):
    """Computes features of images, each independently of the others.

    Attributes:
        length: Length of a row.
        dtype: Data type of the values.
    """

    length: int
    dtype: np.dtype

    def get_config(self) -> Mapping[str, Any]:
        """Return name, version and options as JSON values: everything that the features depend on."""

    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield status and (rows, length) values of each image file, in order; no rows unless the status is ``ok``."""


@dataclass(frozen=True)
class FeatureStore:
    """Stored features of many images.

    Attributes:
        folder: Folder of the store.
    """

    folder: Path

    @property
    def index(self) -> pd.DataFrame:
        """The index, sorted by ``object_id``.

        Raises:
            FeatureError: The folder contains no store.
        """
        try:
            return pd.read_parquet(self.folder / INDEX)
        except FileNotFoundError as error:
            raise FeatureError(f"{self.folder} contains no features. Run kedro run --pipelines features.") from error

    @property
    def values(self) -> np.ndarray:
        """All rows, memory-mapped."""
        values: np.ndarray = np.load(self.folder / VALUES, mmap_mode="r")
        return values

    def of(self, object_ids: Sequence[int]) -> np.ndarray:
        """Return the (n, length) global features of images, in order.

        Raises:
            FeatureError: An image has no features, or several rows.
        """
        places = self._places(object_ids)
        if (several := places["rows"] != 1).any():
            raise FeatureError(
                f"{self.folder.name}: object {object_ids[int(several.argmax())]} has "
                f"{places['rows'][several.argmax()]} rows of features; global features have one."
            )
        values = self.values
        found = np.empty((len(places["start"]), values.shape[1]), values.dtype)
        for row, start in zip(found, places["start"], strict=True):
            row[:] = values[start]
        return found

    def rows_of(self, object_ids: Sequence[int]) -> Iterator[np.ndarray]:
        """Yield the (rows, length) local descriptors of each image, in order.

        Raises:
            FeatureError: An image has no features.
        """
        places, values = self._places(object_ids), self.values
        for start, rows in zip(places["start"], places["rows"], strict=True):
            yield np.array(values[start : start + rows])

    def require(self, extractor: Extractor) -> None:
        """Validate that an extractor computed these features.

        Raises:
            FeatureError: Another extractor, version or options computed them.
        """
        stored, required = read_json(self.folder / EXTRACTOR), config_of(extractor)
        if stored != required:
            keys = sorted({*stored, *required})
            key = next(one for one in keys if stored.get(one) != required.get(one))
            raise FeatureError(
                f"The features in {self.folder.name} were computed with {key} = {stored.get(key)!r}, but "
                f"{required.get(key)!r} is required. Run kedro run --pipelines features."
            )

    def _places(self, object_ids: Sequence[int]) -> dict[str, np.ndarray]:
        index = self.index
        ids = index["object_id"].to_numpy()
        missing = np.flatnonzero(~np.isin(object_ids, ids))
        if len(missing):
            raise FeatureError(
                f"{self.folder.name} has no features of {len(missing)} objects, such as {object_ids[missing[0]]}. "
                "Run kedro run --pipelines features."
            )
        position = np.searchsorted(ids, np.asarray(object_ids, np.int64))
        status = index["status"].to_numpy()[position]
        if (bad := status != "ok").any():
            raise FeatureError(
                f"{self.folder.name}: the image of object {object_ids[int(bad.argmax())]} has no features: "
                f"{status[bad.argmax()]}. Remove data/02_intermediate/images and run again, or leave the object out."
            )
        rows = index["rows"].to_numpy()
        return {"start": (np.cumsum(rows) - rows)[position], "rows": rows[position]}


def config_of(extractor: Extractor) -> dict[str, Any]:
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
