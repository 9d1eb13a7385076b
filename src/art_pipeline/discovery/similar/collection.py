"""A collection that can be searched: its rows, the facts of its works, and the space that new images join."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from art_pipeline.discovery.extractors import digests_of
from art_pipeline.discovery.similar.filters import ARTIST, YEAR, Filters
from art_pipeline.discovery.similar.index import SearchIndex
from art_pipeline.discovery.similar.mix import Mix
from art_pipeline.discovery.similar.options import SimilarOptions
from art_pipeline.discovery.similar.smoothing import place, smooth
from art_pipeline.discovery.space import require_length
from art_pipeline.errors import DiscoveryError
from art_pipeline.features.store import FeatureStore, GlobalFeatures
from art_pipeline.tasks.columns import as_text

ROWS, PLAIN, WORKS, SPACE, OPTIONS = "rows.npy", "plain.npy", "works.parquet", "space", "options.json"
EXTRACTORS = "extractors.json"
FACTS = ("title", ARTIST, "object_date", YEAR)


@dataclass(frozen=True)
class SimilarWorks:
    """A collection with its space.

    Attributes:
        options: Options of the analysis.
        works: A row per work, sorted by ``object_id``, its index: ``title``, ``artist``, ``object_date``,
            ``object_begin_date`` and the columns of ``labels``.
        plain: (n, dimensions) float32 of unit length.
        rows: The same after smoothing, in which works are compared.
        mix: The space.
        extractors: Those of the features, as `art_pipeline.discovery.extractors.digests_of` returns them.
    """

    options: SimilarOptions
    works: pd.DataFrame
    plain: NDArray[np.float32]
    rows: NDArray[np.float32]
    mix: Mix
    extractors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def fit(cls, objects: pd.DataFrame, stores: Sequence[FeatureStore], options: SimilarOptions) -> Self:
        """Fit the space of all works that have all features.

        Args:
            objects: The table of objects.
            stores: Global features.
            options: Options of the analysis.

        Raises:
            DiscoveryError: A column is missing, or fewer than two works have the features, or all the same.
            FeatureError: A store is damaged, or has local descriptors.
        """
        works = _works(objects, stores, options.labels)
        found, ids = GlobalFeatures(stores), works.index.tolist()
        features = found.of(ids)
        mix = Mix.fit(features, found.blocks, options)
        rows = mix.transform(features)
        extractors = digests_of(dict(zip(options.features, stores, strict=True)))
        return cls(options, works, rows, smooth(rows, options.smooth_neighbours, options.smooth), mix, extractors)

    @cached_property
    def index(self) -> SearchIndex:
        """The index of the rows."""
        return SearchIndex.of(self.rows)

    def similar_to(self, object_id: int, k: int, filters: Filters = Filters()) -> pd.DataFrame:  # noqa: B008 - frozen
        """Return the works most similar to one of the collection, without itself.

        Returns:
            At most k rows of ``works``, the most similar first, with their cosine ``similarity``.

        Raises:
            DiscoveryError: The work is not in the collection, or has not what a filter compares.
        """
        if object_id not in self.works.index:
            raise DiscoveryError(
                f"Object {object_id} is not among the {len(self.works):,} works that have the features. Give the id of "
                "one that has an image, or an image file."
            )
        place = int(self.works.index.get_indexer(pd.Index([object_id]))[0])
        allowed = filters.allowed(self.works, self.works.iloc[place])
        others = np.ones(len(self.works), bool) if allowed is None else allowed
        others[place] = False
        return self._found(self.rows[place], k, others)

    def similar_to_features(self, features: np.ndarray, k: int) -> pd.DataFrame:
        """Return the works most similar to an image; see `similar_to`.

        Args:
            features: (length,) float32, of the blocks of features in their order.
            k: Number of works.
        """
        return self._found(self.place(features[None])[0], k, None)

    def place(self, features: np.ndarray) -> NDArray[np.float32]:
        """Return the (m, dimensions) rows of images, of their (m, length) features.

        Raises:
            DiscoveryError: A value is not finite, or the features have another length than those of the works.
        """
        rows = self.mix.transform(features)
        require_length(rows, self.plain.shape[1])
        return place(rows, self.plain, self.rows, self.options.smooth_neighbours) if self.options.smooth else rows

    def _found(self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None) -> pd.DataFrame:
        found = self.index.nearest(query, k, allowed)
        return self.works.iloc[found.indices].assign(similarity=found.similarities)

    def save(self, folder: Path) -> None:
        """Write the collection into a folder."""
        np.save(folder / ROWS, self.rows)
        if self.options.smooth:
            np.save(folder / PLAIN, self.plain)
        self.works.reset_index().to_parquet(folder / WORKS, index=False)
        (folder / OPTIONS).write_text(self.options.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (folder / EXTRACTORS).write_text(json.dumps(self.extractors, indent=2) + "\n", encoding="utf-8")
        (folder / SPACE).mkdir()
        self.mix.save(folder / SPACE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load what `save` wrote; rows are memory-mapped.

        Raises:
            DiscoveryError: The folder has no complete collection.
        """
        try:
            options = SimilarOptions.model_validate_json((folder / OPTIONS).read_text(encoding="utf-8"))
            works = pd.read_parquet(folder / WORKS).set_index("object_id")
            rows = np.load(folder / ROWS, mmap_mode="r", allow_pickle=False)
            plain = np.load(folder / PLAIN, mmap_mode="r", allow_pickle=False) if options.smooth else rows
            extractors = json.loads((folder / EXTRACTORS).read_text(encoding="utf-8"))
            return cls(options, works, plain, rows, Mix.load(folder / SPACE), extractors)
        except (OSError, ValueError, KeyError) as error:
            stage = folder.parent.name
            raise DiscoveryError(
                f"{stage} is not a complete collection of similar works: {error}. Run kedro run --pipelines {stage}."
            ) from error


def _works(objects: pd.DataFrame, stores: Sequence[FeatureStore], labels: Sequence[str]) -> pd.DataFrame:
    columns = list(dict.fromkeys([*FACTS, *labels]))
    missing = [name for name in labels if name not in objects]
    if missing:
        raise DiscoveryError(f"labels of similar works names {missing[0]!r}, which is not a column of the objects.")
    works = objects.reindex(columns=["object_id", *columns]).set_index("object_id").sort_index()
    for described in _described(stores):
        works = works[works.index.isin(described)]
    texts = [name for name in columns if name != YEAR]
    works[texts] = works[texts].apply(as_text)
    works[YEAR] = pd.to_numeric(works[YEAR]).astype("Int64")
    return works


def _described(stores: Sequence[FeatureStore]) -> Iterator[set[int]]:
    for store in stores:
        yield set(store.index.loc[store.index["status"] == "ok", "object_id"])
