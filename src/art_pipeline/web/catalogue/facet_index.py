"""The facets as they are now: those that the last import wrote, with the works that were uploaded since."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Max

from art_pipeline.web.catalogue.facets import Contents, Values, facet_sources
from art_pipeline.web.catalogue.models import Artwork, Facet, Origin, Prediction

_NONE = Values((), (), np.empty(0, np.uint32))
RESULTS = 48  # results that are kept


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
    _results: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

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

    def mask(self, ids: np.ndarray) -> np.ndarray:
        """Return (highest id + 1,) bool, True at the ids."""
        mask = np.zeros(self.highest + 1, bool)
        mask[ids[ids <= self.highest]] = True
        return mask

    def result(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Return what is computed from the facets; the latest `RESULTS` are kept."""
        found = self._results.pop(key, None)
        found = compute() if found is None else found
        self._results[key] = found
        while len(self._results) > RESULTS:
            self._results.pop(next(iter(self._results), None), None)
        return found

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
    uploads = Artwork.objects.filter(origin=Origin.UPLOAD, id__gt=last).aggregate(highest=Max("id"))["highest"]
    version = (stored["version"] or 0, last, *_upload_version(uploads))
    with _lock:
        if _current is None or _current.version != version:
            _current = FacetIndex(version, last, uploads or last)
        return _current


def _upload_version(highest: int | None) -> tuple[int, ...]:
    """Return what changes with the uploads since the import and their predictions; nothing without any."""
    if highest is None:
        return ()
    return highest, Prediction.objects.aggregate(last=Max("id"))["last"] or 0


def _stored(name: str) -> Values:
    row = Facet.objects.filter(name=name).first()
    if row is None:
        return _NONE
    names, counts = zip(*row.values, strict=True) if row.values else ((), ())
    return Values(names, counts, np.frombuffer(row.artworks, np.uint32))
