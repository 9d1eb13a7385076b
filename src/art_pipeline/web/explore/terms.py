"""The page of all values of a facet."""

from typing import Any

import numpy as np
from django.http import QueryDict

from art_pipeline.web.catalogue.facets import sort_key
from art_pipeline.web.explore import grid
from art_pipeline.web.explore.listing import Listing

PAGE = 240


def context(listing: Listing, name: str, query: QueryDict) -> dict[str, Any]:
    """Return the values that contain some text, alphabetically, with counts, a page of them."""
    sought = query.get("find", "").strip()[:100]
    positions = _positions(listing, name, sought)
    last = max(1, -(-len(positions) // PAGE))
    number = _number(query.get("page", ""), last)
    shown = positions[(number - 1) * PAGE : number * PAGE]
    return {
        "name": name,
        "title": listing.index.titles[name],
        "filters": listing.filters,
        "find": sought,
        "choices": grid.choices(listing, name, shown),
        "total": len(positions),
        "number": number,
        "pages": last,
        "chips": list(grid.chips(listing.filters, listing.index.titles)),
        "back": grid.address(listing.filters),
    }


def _positions(listing: Listing, name: str, sought: str) -> np.ndarray:
    names, counts = listing.index.values(name).names, listing.counts(name)
    keys = listing.index.result(("keys", name), lambda: [sort_key(one) for one in names])
    key = sort_key(sought) if sought else ""
    found = [(keys[one], one) for one in np.flatnonzero(counts).tolist() if key in keys[one]]
    return np.array([one for _, one in sorted(found)], int)


def _number(text: str, last: int) -> int:
    return min(max(int(text[:9]), 1), last) if text.isascii() and text.isdigit() else 1
