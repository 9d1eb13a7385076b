"""Search for similar works, in a space that is read once by each process."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Max, Min
from numpy.typing import NDArray

from art_pipeline.common.arrays import Flags
from art_pipeline.discovery.similar.index import SearchIndex
from art_pipeline.web.catalogue.facet_index import facet_index
from art_pipeline.web.catalogue.models import Artwork, Vocabulary
from art_pipeline.web.similar.models import SpacePart

OTHER_ARTIST, EARLIER = "other_artist", "earlier"


class SimilarWork(NamedTuple):
    """A work, and its cosine similarity."""

    artwork: Artwork
    similarity: float


@dataclass(eq=False)
class SearchSpace:
    """A space of one import.

    Attributes:
        version: Changes with each import of a space.
        name: Name of the analysis.
        artworks: (n,) uint32 ids, ascending.
        index: The rows.
    """

    version: tuple[Any, ...]
    name: str
    artworks: NDArray[np.uint32]
    index: SearchIndex

    @cached_property
    def facts(self) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
        """Artists and years of the artworks; NaN where the year is unknown."""
        rows = {one[0]: one[1:] for one in Artwork.objects.values_list("pk", "artist", "year").iterator()}
        found = [rows.get(one, ("", None)) for one in self.artworks.tolist()]
        artists = np.array([artist for artist, _ in found], object)
        return artists, np.array([year for _, year in found], np.float64)

    def place(self, artwork: Artwork) -> int | None:
        """Return the position of an artwork; None where it is not in the space."""
        position = int(np.searchsorted(self.artworks, artwork.pk))
        known = position < len(self.artworks) and self.artworks[position] == artwork.pk
        return position if known else None

    def similar(self, artwork: Artwork, count: int, conditions: Iterable[str]) -> list[SimilarWork]:
        """Return the works most similar to one, without itself.

        Args:
            artwork: The work.
            count: Most works.
            conditions: ``other_artist``, ``earlier``, or the name of a task, of which a label shall be the same.
        """
        place = self.place(artwork)
        if place is None:
            return []
        allowed = np.ones(len(self.artworks), bool)
        allowed[place] = False
        for one in conditions:
            allowed &= self._allowed(one, artwork)
        found = self.index.nearest(self.index.rows[place], count, allowed)
        ids = self.artworks[found.indices].tolist()
        artworks = Artwork.objects.select_related("image").in_bulk(ids)
        pairs = zip(ids, found.similarities.tolist(), strict=True)
        return [SimilarWork(artworks[one], value) for one, value in pairs if one in artworks]

    def _allowed(self, condition: str, artwork: Artwork) -> Flags:
        artists, years = self.facts
        if condition == OTHER_ARTIST:
            return (artists != artwork.artist) | (artwork.artist == "")
        if condition == EARLIER:
            return years < (np.nan if artwork.year is None else artwork.year)
        labels = artwork.terms.filter(vocabulary__name=condition).values_list("name", flat=True)
        values = facet_index().values(condition)
        same = [values.ids(name) for name in labels]
        return np.isin(self.artworks, np.concatenate(same)) if same else np.zeros(len(self.artworks), bool)


_lock = threading.Lock()
_current: SearchSpace | None = None


def search_space() -> SearchSpace | None:
    """Return the space of the first analysis; None before one is imported. It is read again after an import."""
    global _current  # noqa: PLW0603
    first = SpacePart.objects.order_by("name").values_list("name", flat=True).first()
    if first is None:
        return None
    parts = SpacePart.objects.filter(name=first)
    version = (first, *parts.aggregate(low=Min("pk"), high=Max("pk")).values())
    with _lock:
        if _current is None or _current.version != version:
            _current = _read(version, first)
        return _current


def conditions_for(artwork: Artwork) -> list[tuple[str, str]]:
    """Return the conditions that an artwork can have, with their texts."""
    found = [(OTHER_ARTIST, "By other artists")] if artwork.artist else []
    found += [(EARLIER, "Earlier works")] if artwork.year is not None else []
    labelled = Vocabulary.objects.filter(is_task=True, is_multilabel=False, terms__labels__artwork=artwork).distinct()
    return found + [(one.name, f"Same {one.title.lower()}") for one in labelled]


def _read(version: tuple[Any, ...], name: str) -> SearchSpace:
    parts = list(SpacePart.objects.filter(name=name))
    artworks = np.concatenate([np.frombuffer(one.artworks, np.uint32) for one in parts])
    rows = np.concatenate([np.frombuffer(one.rows, np.float32).reshape(-1, one.length) for one in parts])
    order = np.argsort(artworks, kind="stable")
    return SearchSpace(version, name, artworks[order], SearchIndex.of(rows[order]))
