"""The facets as they are now: those that the last import wrote, with the works that were uploaded since."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Count, Max

from art_pipeline.web.catalogue.facets import Contents, Values, among, facet_sources, values_of
from art_pipeline.web.catalogue.models import Artwork, Facet, Origin, Prediction
from art_pipeline.web.catalogue.words import Postings, postings

_NONE = Values((), (), np.empty(0, np.uint32))
RESULT_BYTES = 1 << 25  # of the results that are kept: some hundred
FEW = 16  # works of which one in so many is wanted are sorted, in place of reading the whole order
SMALL = 1024  # bytes, about, of a result besides its array


@dataclass(eq=False)
class FacetIndex:
    """Facets of one state of the catalogue. Each is read when it is first needed.

    Attributes:
        version: Changes with the facets and with uploads.
        last: Highest id of an artwork that the stored facets contain.
        highest: Highest id of an artwork.
    """

    version: tuple[int, ...]
    last: int
    highest: int
    _read: dict[str, Values] = field(default_factory=dict)
    _places: dict[str, np.ndarray] = field(default_factory=dict)
    _results: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def titles(self) -> dict[str, str]:
        """Title of each facet by name, in the order of the page."""
        stored = dict(Facet.objects.values_list("name", "title"))
        return stored or {name: title for name, title, _ in facet_sources()}

    def values(self, name: str) -> Values:
        """Return the artworks of each value of a facet.

        Raises:
            KeyError: There is no such facet.
        """
        if name not in self._read:
            if name not in self.titles:
                raise KeyError(name)
            stored = _stored(name)
            self._read[name] = self._later[name]((self.last, self.highest)) + stored if self._later else stored
        return self._read[name]

    def order(self, name: str) -> np.ndarray:
        """Return the ids of all artworks in an order; works that were uploaded after the import are first."""
        return self.values(f"sort.{name}").artworks

    def in_order(self, ids: np.ndarray, name: str) -> np.ndarray:
        """Return ids, which are different, in an order; without those that it does not have."""
        order = self.order(name)
        if len(ids) * FEW > len(order):
            return order[among(self.mask(ids), order)]
        ranks = self._ranks(name)[ids[ids <= self.highest]]
        return order[np.sort(ranks[ranks < len(order)])]

    def mask(self, ids: np.ndarray) -> np.ndarray:
        """Return (highest id + 1,) bool, True at the ids."""
        mask = np.zeros(self.highest + 1, bool)
        mask[ids[ids <= self.highest]] = True
        return mask

    def result(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Return what is computed from the facets; the latest results are kept, up to `RESULT_BYTES`."""
        with self._lock:
            found = self._results.get(key)
            if found is not None:
                self._results.move_to_end(key)
                return found
        found = compute()
        with self._lock:
            if key not in self._results:
                self._results[key] = found
                self._bytes += _bytes_of(found)
            while self._bytes > RESULT_BYTES and len(self._results) > 1:
                self._bytes -= _bytes_of(self._results.popitem(last=False)[1])
        return found

    def _ranks(self, name: str) -> np.ndarray:
        """Return (highest id + 1,) uint32, the position of each id in an order; its length where it is not there."""
        if name not in self._places:
            order = self.order(name)
            ranks = np.full(self.highest + 1, len(order), np.uint32)
            known = order <= self.highest  # others are of an import since
            ranks[order[known]] = np.flatnonzero(known)
            self._places[name] = ranks
        return self._places[name]

    @cached_property
    def later_words(self) -> Postings:
        """The words of the artworks that were uploaded after the import."""
        return postings((self.last, self.highest)) if self.highest > self.last else {}

    @cached_property
    def _later(self) -> dict[str, Contents]:
        return {name: values for name, _, values in facet_sources()} if self.highest > self.last else {}


_lock = threading.Lock()
_current: FacetIndex | None = None


def facet_index() -> FacetIndex:
    """Return the facets of the catalogue; they are read again where it has changed."""
    global _current  # noqa: PLW0603
    stored: dict[str, Any] = Facet.objects.aggregate(version=Max("id"), last=Max("last"))
    last = stored["last"] or 0
    uploads: dict[str, Any] = Artwork.objects.filter(origin=Origin.UPLOAD).aggregate(n=Count("id"), highest=Max("id"))
    highest = max(uploads["highest"] or 0, last)
    predictions = Prediction.objects.aggregate(last=Max("id"))["last"] if highest > last else 0
    version = (stored["version"] or 0, last, uploads["n"], highest, predictions or 0)
    with _lock:
        if _current is None or _current.version != version:
            _current = FacetIndex(version, last, highest)
        return _current


def _stored(name: str) -> Values:
    row = Facet.objects.filter(name=name).first()
    return values_of(row) if row else _NONE


def _bytes_of(result: Any) -> int:
    return SMALL + (result.nbytes if isinstance(result, np.ndarray) else 0)
