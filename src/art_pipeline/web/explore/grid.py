"""What the page with the grid shows: facets with counts, chips of the chosen filters, and links to pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
from django.urls import reverse

from art_pipeline.web.explore.filters import RELEVANCE, SORTS, Filters
from art_pipeline.web.explore.listing import PAGE, Listing, Page

SHOWN_VALUES = 8
OPEN_FACETS = 3
WORDS = {
    "split": {"train": "training", "validation": "validation", "test": "test"},
    "accepted": {"yes": "accepted", "no": "left to an expert"},
    "correct": {"yes": "the recorded label", "no": "another label"},
}


@dataclass(frozen=True)
class Choice:
    """A value of a facet, as a link that adds or removes it."""

    label: str
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class FacetView:
    """A facet with its most frequent values.

    Attributes:
        more: Number of further values.
        all_address: Address of the page of all values.
        is_open: Whether its values are shown at first.
    """

    name: str
    title: str
    choices: list[Choice]
    more: int
    all_address: str
    is_open: bool


@dataclass(frozen=True)
class Chip:
    """A chosen filter, with the address without it, and the number of artworks that it gives."""

    title: str
    label: str
    address: str
    count: int | None = None


def facet_views(listing: Listing) -> Iterator[FacetView]:
    """Yield the facets to show: those that have values, or a chosen one."""
    position = 0
    for name, title in listing.index.titles.items():
        is_chosen = bool(listing.filters.values(name))
        if "." in name and not name.startswith("split.") and not is_chosen:
            continue
        choices, more = _choices(listing, name)
        if choices:
            is_open = is_chosen or ("." not in name and position < OPEN_FACETS)
            yield FacetView(name, title, choices, more, terms_address(name, listing.filters), is_open)
            position += 1


def chips(filters: Filters, titles: dict[str, str]) -> Iterator[Chip]:
    """Yield a chip for each chosen value, and for the words."""
    if filters.text:
        yield Chip("Search", filters.text, address(filters.without("q")))
    for name, value in filters.each():
        yield Chip(titles[name], shown(name, value), address(filters.toggle(name, value)))


def suggestions(listing: Listing) -> Iterator[Chip]:
    """Yield the filters that can be left out, with what remains then, where nothing is found."""
    filters = listing.filters
    names = (["q"] if filters.text else []) + [name for name, _ in filters.chosen]
    for name in names:
        rest = filters.without(name)
        label = filters.text if name == "q" else " or ".join(shown(name, one) for one in filters.values(name))
        title = listing.index.titles.get(name, "Search")
        yield Chip(title, label, address(rest), len(Listing.of(rest)))


def sorts(filters: Filters) -> list[tuple[str, str]]:
    """Return the orders to choose from."""
    return [(key, title) for key, title in SORTS.items() if key != RELEVANCE or filters.text]


def page_links(page: Page, filters: Filters) -> dict[str, str]:
    """Return the addresses of the first, previous, next and last page, as far as there are any."""
    links = {}
    if page.has_previous:
        links["first"] = address(filters)
        links["previous"] = address(filters, f"before={quote(page.artworks[0].key)}" if page.artworks else "")
    if page.has_next and page.artworks:
        links["next"] = address(filters, f"after={quote(page.artworks[-1].key)}")
        links["last"] = address(filters, f"page={pages(page.total)}")
    return links


def pages(total: int) -> int:
    """Return the number of pages."""
    return max(1, -(-total // PAGE))


def address(filters: Filters, more: str = "") -> str:
    """Return the address of the grid with filters."""
    return _with_query(reverse("explore:home"), "&".join(filter(None, (filters.query, more))))


def terms_address(name: str, filters: Filters) -> str:
    """Return the address of the page of all values of a facet."""
    return _with_query(reverse("explore:terms", args=[name]), filters.query)


def shown(name: str, value: str) -> str:
    """Return a value in words.

    >>> shown("split.department", "train")
    'training'
    """
    return WORDS.get(name.partition(".")[0], {}).get(value, value)


def choices(listing: Listing, name: str, positions: np.ndarray) -> list[Choice]:
    """Return values of a facet, by their positions, as links."""
    names, counts, chosen = listing.index.values(name).names, listing.counts(name), listing.filters.values(name)
    home = address(Filters())
    return [
        Choice(
            shown(name, names[one]),
            int(counts[one]),
            _with_query(home, listing.filters.toggle(name, names[one]).query),
            names[one] in chosen,
        )
        for one in positions.tolist()
    ]


def _choices(listing: Listing, name: str) -> tuple[list[Choice], int]:
    """Return the chosen and the most frequent values, and the number of further ones."""
    known, counts = listing.index.values(name), listing.counts(name)
    chosen = known.positions(listing.filters.values(name))
    frequent, n = listing.most_frequent(name, SHOWN_VALUES + len(chosen))
    top = list(dict.fromkeys([*chosen, *frequent]))[: max(SHOWN_VALUES, len(chosen))]
    n += sum(1 for one in chosen if not counts[one])
    return choices(listing, name, np.array(top, int)), max(0, n - len(top))


def _with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
