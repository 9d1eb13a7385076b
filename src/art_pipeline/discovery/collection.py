"""The images that an analysis reads: their features, their records and the images themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.errors import DiscoveryError, did_you_mean
from art_pipeline.features.store import FeatureStore, GlobalFeatures
from art_pipeline.images.standardize import image_path, read_rgb, resize
from art_pipeline.sources.columns import SEPARATOR

PIXEL_RANGE = 255


@dataclass(frozen=True)
class Collection:
    """Images with features.

    Attributes:
        object_ids: (n,) int64, sorted.
        stores: Stores of features by name.
        objects: Table of objects.
        images: Folder of standardized images.
        left_out: Number of images that are left out, by reason.
    """

    object_ids: NDArray[np.int64]
    stores: Mapping[str, FeatureStore]
    objects: pd.DataFrame
    images: Path
    left_out: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def records(self) -> pd.DataFrame:
        """The records of the images, in their order."""
        found: pd.DataFrame = self.objects.set_index("object_id").reindex(self.object_ids)
        return found

    def rows(self, names: Sequence[str]) -> np.ndarray:
        """Return (n, length) float32 features."""
        return GlobalFeatures([self.stores[name] for name in names]).of(self.object_ids.tolist())

    def blocks(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return the lengths of the parts of features."""
        return GlobalFeatures([self.stores[name] for name in names]).blocks

    def pixels(self, side: int) -> NDArray[np.float32]:
        """Return (n, 3 · side²) float32 pixels in 0..1."""
        paths = (image_path(self.images, one) for one in self.object_ids.tolist())
        found: NDArray[np.float32] = np.stack([pixels_of(read_rgb(path), side) for path in paths])
        return found

    def read_image(self, object_id: int) -> NDArray[np.uint8]:
        """Return the (height, width, 3) uint8 RGB image of an object."""
        return read_rgb(image_path(self.images, object_id))

    def labels(self, names: Sequence[str]) -> pd.DataFrame:
        """Return a column per label, a row per image; ``""`` for unknown. Of several values, the first counts.

        Raises:
            DiscoveryError: The table of objects has no such column.
        """
        records = self.records
        for name in names:
            if name not in records:
                known = ", ".join(sorted(map(str, records.columns)))
                hint = did_you_mean(name, map(str, records.columns))
                raise DiscoveryError(f"labels: the objects have no column {name!r}.{hint} Known ones: {known}.")
        columns = {name: records[name].map(_first_value) for name in names}
        return pd.DataFrame(columns, index=records.index)

    def captions(self) -> dict[int, tuple[str, str]]:
        """Return two lines of text by object id: title, and artist with date."""
        columns = (self.records[name].map(_first_value) for name in ("title", "artist", "object_date"))
        found = zip(self.object_ids.tolist(), *columns, strict=True)
        return {one: (title or f"id {one}", ", ".join(filter(None, rest))) for one, title, *rest in found}


def pixels_of(image: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Return the (3 · side²,) float32 pixels in 0..1 of a resized image."""
    return resize(image, side, side).reshape(-1).astype(np.float32) / np.float32(PIXEL_RANGE)


def open_collection(
    stores: Mapping[str, FeatureStore],
    objects: pd.DataFrame,
    images: Path,
    wanted: Sequence[int] | None = None,
) -> Collection:
    """Find the images that have all features.

    Args:
        stores: Stores of features, by the names in the options.
        objects: Table of objects.
        images: Folder of standardized images.
        wanted: Object ids of a task; None for all images.

    Raises:
        DiscoveryError: An option names local descriptors, or no image has all features.
    """
    ids = sorted(map(int, wanted)) if wanted is not None else _all_ids(objects, images, stores)
    usable = _with_features(stores) if stores else set(ids)
    kept = np.array([one for one in ids if one in usable], np.int64)
    if not len(kept):
        raise DiscoveryError(f"None of the {len(ids)} images has the features {', '.join(stores) or 'pixels'}.")
    return Collection(kept, stores, objects, images, {"without_features": len(ids) - len(kept)})


def _with_features(stores: Mapping[str, FeatureStore]) -> set[int]:
    found: set[int] | None = None
    for name, store in stores.items():
        index = store.index
        if (index["rows"] > 1).any():
            raise DiscoveryError(f"{name} has several rows per image. Cluster features with one row per image.")
        own = set(index.loc[index["status"] == "ok", "object_id"].tolist())
        found = own if found is None else found & own
    return found or set()


def _all_ids(objects: pd.DataFrame, images: Path, stores: Mapping[str, FeatureStore]) -> list[int]:
    """Return the ids of all images: those of the first store, or the files in the folder of images."""
    known = set(objects["object_id"].tolist())
    for store in stores.values():
        return [one for one in store.index["object_id"].tolist() if one in known]
    return sorted(int(file.stem) for file in images.glob("*.jpg") if file.stem.lstrip("-").isdigit())


def _first_value(value: Any) -> str:
    return "" if pd.isna(value) else str(value).split(SEPARATOR, 1)[0].strip()
