"""Parameters of the API: the filters of the grid, and pages."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, QueryDict

from art_pipeline.errors import did_you_mean
from art_pipeline.web.api.responses import RequestError
from art_pipeline.web.catalogue.facet_index import facet_index
from art_pipeline.web.explore.filters import SORTS, Filters
from art_pipeline.web.explore.listing import PAGE, Listing, Page

MAX_LIMIT = 100


@dataclass(frozen=True)
class Wanted:
    """A page of artworks.

    Attributes:
        listing: All artworks of the filters.
        page: Some of them.
        limit: Most artworks of a page.
    """

    listing: Listing
    page: Page
    limit: int

    def address(self, request: HttpRequest, **place: str) -> str:
        """Return the address of another page."""
        query = QueryDict(self.listing.filters.query, mutable=True)
        query.update({**place, "limit": str(self.limit)})
        return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def filters_of(request: HttpRequest, *others: str) -> Filters:
    """Return the filters of a request.

    Args:
        request: The request.
        others: Names of further parameters.

    Raises:
        RequestError: There is no such filter or order.
    """
    facets = [name for name in facet_index().titles if not name.startswith("sort.")]
    known = [*facets, "q", "sort", *others]
    for name in request.GET:
        if name not in known:
            raise RequestError(
                f"There is no filter {name!r}.{did_you_mean(name, known)} GET /api/facets/ lists the filters."
            )
    sort = request.GET.get("sort", "mixed")
    if sort not in SORTS:
        raise RequestError(f"There is no order {sort!r}. Orders: {', '.join(SORTS)}.")
    return Filters.parse(request.GET)


def page_of(request: HttpRequest) -> Wanted:
    """Return the page of a request.

    Raises:
        RequestError: A parameter is wrong.
        Http404: The artwork after or before which the page is, is not among those of the filters.
    """
    listing = Listing.of(filters_of(request, "after", "before", "limit"))
    limit, after, before = limit_of(request), request.GET.get("after", ""), request.GET.get("before", "")
    for name, key in (("after", after), ("before", before)):
        if key and listing.position(key) is None:
            raise Http404(f"The artwork {key!r} of {name} is not among those of the filters. Begin without {name}.")
    return Wanted(listing, listing.page(after, before, limit), limit)


def limit_of(request: HttpRequest, default: int = PAGE) -> int:
    """Return the wanted number of items of a page.

    Raises:
        RequestError: It is not a number from 1 to `MAX_LIMIT`.
    """
    text = request.GET.get("limit", str(default))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT)) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise RequestError(f"limit is {text[:20]!r}. Give a number from 1 to {MAX_LIMIT}.")
    return limit
