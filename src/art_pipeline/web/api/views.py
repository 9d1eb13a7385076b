"""The JSON API, which reads."""

from typing import Any

import numpy as np
from django.http import Http404, HttpRequest

from art_pipeline.web.api.artworks import details, summary
from art_pipeline.web.api.parameters import MAX_LIMIT, filters_of, limit_of, page_of
from art_pipeline.web.api.responses import json_view
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.explore.listing import Listing


@json_view
def artworks(request: HttpRequest) -> dict[str, Any]:
    """List the artworks of filters, a page at a time."""
    wanted = page_of(request)
    page, keys = wanted.page, [one.key for one in wanted.page.artworks]
    # Nothing comes after the last artwork; the previous page is then that before it.
    before = keys[0] if keys else request.GET.get("after", "")
    return {
        "total": page.total,
        "artworks": [summary(request, one) for one in page.artworks],
        "previous": wanted.address(request, before=before) if page.has_previous else None,
        "next": wanted.address(request, after=keys[-1]) if keys and page.has_next else None,
    }


@json_view
def artwork(request: HttpRequest, key: str) -> dict[str, Any]:
    """Show an artwork with its labels, predictions and their provenance."""
    found = Artwork.objects.select_related("image").filter(key=key).first()
    if found is None:
        raise Http404(f"There is no artwork {key!r}.")
    return details(request, found)


@json_view
def facets(request: HttpRequest) -> dict[str, Any]:
    """Count the artworks of each value of each filter, with the other filters as they are; the most frequent first."""
    listing, limit = Listing.of(filters_of(request, "limit")), limit_of(request, MAX_LIMIT)
    names = [name for name in listing.index.titles if not name.startswith("sort.")]
    return {"total": len(listing), "facets": [_facet(listing, name, limit) for name in names]}


@json_view
def nothing(request: HttpRequest) -> dict[str, Any]:
    """Answer an address that is none of this API."""
    raise Http404(
        f"There is no {request.path}. There are /api/artworks/, /api/artworks/KEY/, /api/artworks/KEY/similar/ and "
        "/api/facets/."
    )


def _facet(listing: Listing, name: str, limit: int) -> dict[str, Any]:
    names, counts = listing.index.values(name).names, listing.counts(name)
    order = np.argsort(-counts, kind="stable")
    found = order[counts[order] > 0]
    values = [{"value": names[one], "count": int(counts[one])} for one in found[:limit].tolist()]
    return {"name": name, "title": listing.index.titles[name], "values": values, "more": max(0, len(found) - limit)}
