"""The filters of a list of artworks: read from an address, and written into one.

The grid, the JSON API and the IIIF collections take the same parameters: one per facet, by its name
(``department=Asian+Art``, ``split.department=test``, ``predicted.bow_svm=Photographs``), ``q`` for words, ``sort``.
Several values of one facet mean any of them; several facets, all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict

from art_pipeline.web.catalogue.facet_index import FacetIndex, facet_index

MAX_TEXT = 200  # characters of a search
MAX_VALUES = 20  # of one facet
RELEVANCE = "relevance"
SORTS = {
    "mixed": "Mixed",
    RELEVANCE: "Relevance",
    "title": "Title",
    "artist": "Artist",
    "oldest": "Oldest first",
    "newest": "Newest first",
}


@dataclass(frozen=True)
class Filters:
    """What artworks are wanted, and in which order.

    Attributes:
        chosen: Names of facets with the wanted values, sorted.
        text: Words to search for.
        sort: A key of `SORTS`.
    """

    chosen: tuple[tuple[str, tuple[str, ...]], ...] = ()
    text: str = ""
    sort: str = "mixed"

    @classmethod
    def parse(cls, query: QueryDict, index: FacetIndex | None = None) -> Self:
        """Read the filters of an address. Parameters that name no facet are left out; values may be unknown."""
        names = sorted(
            name for name in (index or facet_index()).titles if name in query and not name.startswith("sort.")
        )
        chosen = ((name, tuple(sorted({one for one in query.getlist(name) if one})[:MAX_VALUES])) for name in names)
        text = " ".join(query.get("q", "").replace("\0", " ").split())[:MAX_TEXT]
        default = RELEVANCE if text else "mixed"
        sort = query.get("sort", default)
        sort = sort if sort in SORTS and (text or sort != RELEVANCE) else default
        return cls(tuple((name, values) for name, values in chosen if values), text, sort)

    @property
    def is_empty(self) -> bool:
        """Whether all artworks are wanted."""
        return not (self.chosen or self.text)

    @property
    def query(self) -> str:
        """The canonical query string: the same for the same filters; empty for all artworks in the usual order."""
        pairs = [(name, value) for name, values in self.chosen for value in values]
        pairs += [("q", self.text)] if self.text else []
        pairs += [("sort", self.sort)] if self.sort != (RELEVANCE if self.text else "mixed") else []
        return urlencode(pairs)

    def values(self, name: str) -> tuple[str, ...]:
        """Return the wanted values of a facet."""
        return dict(self.chosen).get(name, ())

    def toggle(self, name: str, value: str) -> Self:
        """Return the filters with a value more, or without it."""
        values = tuple(sorted({*self.values(name)} ^ {value}))
        return self._with(name, values)

    def without(self, name: str) -> Self:
        """Return the filters without a facet; ``q`` is that of the words."""
        if name == "q":
            return replace(self, text="", sort="mixed" if self.sort == RELEVANCE else self.sort)
        return self._with(name, ())

    def each(self) -> Iterator[tuple[str, str]]:
        """Yield name and value of each wanted value."""
        return ((name, value) for name, values in self.chosen for value in values)

    def _with(self, name: str, values: tuple[str, ...]) -> Self:
        chosen = {**dict(self.chosen), name: values}
        return replace(self, chosen=tuple(sorted((one, wanted) for one, wanted in chosen.items() if wanted)))
