"""Features of many images on disk: computed once per image, whatever model, search or page reads them.

A store is a folder of three files. Their bytes depend on the images and the extractor alone, not on whether the
images came at once or in parts:

- ``extractor.json``: what computed them.
- ``index.parquet``: a row per image by ``object_id`` (int64): ``digest`` (MD5 of the image file), ``status`` (``ok``,
  or why there are no features) and ``rows`` (int64, how many rows of values it has).
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
    """Features that are not there, or were computed by another extractor."""


class Extractor(Protocol):
    """Computes features of images, each independently of the others.

    Attributes:
        length: Numbers in a row.
        dtype: Of the values.
    """

    length: int
    dtype: np.dtype

    def describe(self) -> Mapping[str, Any]:
        """Name, version and options, as JSON has them: everything that the values depend on."""

    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """Status and (rows, length) values of each image file, in order; no rows unless the status is ``ok``."""


@dataclass(frozen=True)
class FeatureStore:
    """The features in a folder.

    Attributes:
        folder: The store.
    """

    folder: Path

    @property
    def index(self) -> pd.DataFrame:
        """``object_id``, ``digest``, ``status`` and ``rows``, by ascending id.

        Raises:
            FeatureError: There is no store in the folder.
        """
        try:
            return pd.read_parquet(self.folder / INDEX)
        except FileNotFoundError as error:
            raise FeatureError(
                f"There are no features in {self.folder}. Run kedro run --pipelines features."
            ) from error

    @property
    def values(self) -> np.ndarray:
        """All rows, memory-mapped."""
        return np.load(self.folder / VALUES, mmap_mode="r")

    def of(self, object_ids: Sequence[int]) -> np.ndarray:
        """Global features of some images: (n, length), in order.

        Raises:
            FeatureError: An image has no features, or has several rows; names the first such image, and its status.
        """
        places = self._places(object_ids)
        if (several := places["rows"] != 1).any():
            raise FeatureError(
                f"{self.folder.name}: object {object_ids[int(several.argmax())]} has "
                f"{places['rows'][several.argmax()]} rows of features, where one is needed."
            )
        values = self.values
        found = np.empty((len(places["start"]), values.shape[1]), values.dtype)
        for row, start in zip(found, places["start"], strict=True):
            row[:] = values[start]
        return found

    def rows_of(self, object_ids: Sequence[int]) -> Iterator[np.ndarray]:
        """Local descriptors of each image: (rows, length), in order.

        Raises:
            FeatureError: An image has no features; see `of`.
        """
        places, values = self._places(object_ids), self.values
        for start, rows in zip(places["start"], places["rows"], strict=True):
            yield np.array(values[start : start + rows])

    def require(self, extractor: Extractor) -> None:
        """Check that these features are those of an extractor.

        Raises:
            FeatureError: Another extractor, version or options computed them; names the difference.
        """
        found, wanted = read_json(self.folder / EXTRACTOR), identity_of(extractor)
        if found != wanted:
            keys = sorted({*found, *wanted}, key=str)
            key = next(one for one in keys if found.get(one) != wanted.get(one))
            raise FeatureError(
                f"The features in {self.folder.name} were computed with {key} = {found.get(key)!r}, and "
                f"{wanted.get(key)!r} is wanted. Run kedro run --pipelines features."
            )

    def _places(self, object_ids: Sequence[int]) -> dict[str, np.ndarray]:
        index = self.index
        ids = index["object_id"].to_numpy()
        missing = np.flatnonzero(~np.isin(object_ids, ids))
        if len(missing):
            raise FeatureError(
                f"{self.folder.name} has no features of object {object_ids[missing[0]]}, nor of {len(missing) - 1} "
                "others. Run kedro run --pipelines features."
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


def identity_of(extractor: Extractor) -> dict[str, Any]:
    """What identifies an extractor, as it comes back from JSON."""
    told = {**extractor.describe(), "length": extractor.length, "dtype": np.dtype(extractor.dtype).str}
    return json.loads(json.dumps(told))


def read_json(file: Path) -> dict[str, Any]:
    """What ``extractor.json`` holds.

    Raises:
        FeatureError: It cannot be read.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FeatureError(f"{file} cannot be read: {error}. Delete its folder and run again.") from error
    return content if isinstance(content, dict) else {}
