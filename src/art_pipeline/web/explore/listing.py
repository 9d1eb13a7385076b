"""The artworks of filters: how many, page by page, and counts of further filters."""

from dataclasses import dataclass, replace

import numpy as np
from django.http import QueryDict

from art_pipeline.web.catalogue.facet_index import FEW, FacetIndex, facet_index
from art_pipeline.web.catalogue.facets import among
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.catalogue.search import search
from art_pipeline.web.explore.filters import RELEVANCE, Filters

PAGE = 24


@dataclass(frozen=True)
class Page:
    """A page of artworks.

    Attributes:
        artworks: With their images.
        start: Position of the first, from 0.
        total: Number of artworks on all pages.
    """

    artworks: list[Artwork]
    start: int
    total: int

    @property
    def has_previous(self) -> bool:
        """Whether there are artworks before."""
        return self.start > 0

    @property
    def has_next(self) -> bool:
        """Whether there are artworks after."""
        return self.start + len(self.artworks) < self.total


@dataclass(frozen=True)
class Listing:
    """The artworks of filters, in their order.

    Attributes:
        ids: (n,) uint32 ids.
    """

    index: FacetIndex
    filters: Filters
    ids: np.ndarray

    @classmethod
    def of(cls, filters: Filters, index: FacetIndex | None = None) -> "Listing":
        """Find the artworks of filters, in the facets as they are now, or as they were read before."""
        index = index or facet_index()
        return cls(index, filters, index.result(("ids", filters), lambda: _ids(index, filters)))

    @classmethod
    def read(cls, query: QueryDict) -> "Listing":
        """Find the artworks of the filters of an address."""
        index = facet_index()
        return cls.of(Filters.parse(query, index), index)

    def __len__(self) -> int:
        return len(self.ids)

    def page(self, after: str = "", before: str = "", size: int = PAGE) -> Page:
        """Return the page after, or before, the artwork with a key; the first without a key, or where it is gone."""
        if before:
            position = self.position(before)
            return self.page_at(max(0, (position or 0) - size), size)
        position = self.position(after)
        return self.page_at(0 if position is None else position + 1, size)

    def page_at(self, start: int, size: int = PAGE) -> Page:
        """Return the page that begins at a position; empty beyond the end."""
        return Page(self._artworks(start, start + size), start, len(self))

    def position(self, key: str) -> int | None:
        """Return the position of an artwork; None where it is not among them."""
        row = Artwork.objects.filter(key=key).values_list("id", flat=True).first() if key else None
        return self._position(row or 0)

    def around(self, artwork: Artwork) -> tuple[Artwork | None, Artwork | None]:
        """Return the artworks before and after one."""
        position = self._position(artwork.pk)
        if position is None:
            return None, None
        near = {one.id: one for one in self._artworks(max(0, position - 1), position + 2)}
        before = near.get(int(self.ids[position - 1])) if position else None
        return before, near.get(int(self.ids[position + 1])) if position + 1 < len(self) else None

    def counts(self, name: str) -> np.ndarray:
        """Return how many artworks each value of a facet would give, with the other filters as they are."""
        others = replace(self.filters.without(name), sort="")
        return self.index.result(("counts", name, others), lambda: _counts(self.index, others, name))

    def most_frequent(self, name: str, n: int) -> tuple[list[int], int]:
        """Return the positions of the n most frequent values of a facet, and the number of values that are found."""
        others = replace(self.filters.without(name), sort="")
        return self.index.result(("most frequent", name, n, others), lambda: _most_frequent(self.counts(name), n))

    def _position(self, row: int) -> int | None:
        found = np.flatnonzero(self.ids == row)
        return int(found[0]) if len(found) else None

    def _artworks(self, start: int, stop: int) -> list[Artwork]:
        ids = self.ids[start:stop].tolist()
        found = Artwork.objects.select_related("image").in_bulk(ids)
        return [found[one] for one in ids if one in found]


def _ids(index: FacetIndex, filters: Filters) -> np.ndarray:
    """Return the ids of artworks in the wanted order."""
    if filters.is_empty:
        return index.order(filters.sort)
    if filters.sort != RELEVANCE:
        return index.in_order(_members(index, filters), filters.sort)
    ids = _hits(index, filters.text)
    return ids[among(_mask(index, filters), ids)] if filters.chosen else ids


def _hits(index: FacetIndex, text: str) -> np.ndarray:
    found: np.ndarray = index.result(("hits", text), lambda: search(index, text))
    return found


def _counts(index: FacetIndex, filters: Filters, name: str) -> np.ndarray:
    values = index.values(name)
    if filters.is_empty:
        return np.array(values.counts, int)
    members = _members(index, filters)
    if len(members) * FEW < index.highest:
        return values.counts_among(members)
    return values.counts_within(index.result(("mask", filters), lambda: index.mask(members)))


def _most_frequent(counts: np.ndarray, n: int) -> tuple[list[int], int]:
    found = int(np.count_nonzero(counts))
    return np.argsort(-counts, kind="stable")[: min(n, found)].tolist(), found


def _members(index: FacetIndex, filters: Filters) -> np.ndarray:
    """Return the ids of the artworks of filters, ascending."""
    key = ("members", replace(filters, sort=""))
    found: np.ndarray = index.result(key, lambda: np.flatnonzero(_mask(index, filters)).astype(np.uint32))
    return found


def _mask(index: FacetIndex, filters: Filters) -> np.ndarray:
    """Return which ids are among the artworks of filters."""
    masks = [_any_of(index, name, values) for name, values in filters.chosen]
    if filters.text:
        masks.append(index.mask(_hits(index, filters.text)))
    combined: np.ndarray = np.logical_and.reduce(masks)
    return combined


def _any_of(index: FacetIndex, name: str, values: tuple[str, ...]) -> np.ndarray:
    known = index.values(name)
    return index.mask(np.concatenate([known.ids(value) for value in values]))
