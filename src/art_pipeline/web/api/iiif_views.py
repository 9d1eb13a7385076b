"""Manifests, collections, and images of fixed sizes."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from art_pipeline.web.api.iiif import collection_of, info_of, manifest_of, manifest_reference, sizes_of, text
from art_pipeline.web.api.parameters import filters_of
from art_pipeline.web.api.responses import ANY_ORIGIN, RequestError, json_view
from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.models import Artwork, Image
from art_pipeline.web.catalogue.views import CACHE
from art_pipeline.web.explore.listing import Listing

MANIFESTS = 500  # of one collection; more are in collections of collections
MAX_DIGITS = 10


@json_view
def manifest(request: HttpRequest, key: str) -> dict[str, Any]:
    """Return the manifest of an artwork."""
    found = Artwork.objects.select_related("image").filter(key=key).first()
    if found is None:
        raise Http404(f"There is no artwork {key!r}.")
    return manifest_of(request, found)


@json_view
def collection(request: HttpRequest) -> dict[str, Any]:
    """Return the artworks of filters: manifests, or collections of 500 manifests where there are more."""
    listing = Listing.of(filters_of(request, "start"))
    label = f"{len(listing):,} artworks"
    start = _start(request)
    if start is None and len(listing) > MANIFESTS:
        parts = [_part(request, listing, one) for one in range(0, len(listing), MANIFESTS)]
        return collection_of(_address(request, listing), label, parts)
    artworks = listing.page_at(start or 0, MANIFESTS).artworks
    items = [manifest_reference(request, one) for one in artworks]
    return collection_of(_address(request, listing, start), label, items)


@json_view
def image_base(_: HttpRequest, digest: str) -> HttpResponse:
    """Lead from the address of an image to its information."""
    return HttpResponseRedirect(reverse("iiif:info", args=[_image(digest).digest]), headers=ANY_ORIGIN)


@json_view
def image_info(request: HttpRequest, digest: str) -> dict[str, Any]:
    """Return the sizes of an image."""
    return info_of(request, _image(digest))


@json_view
def image(_: HttpRequest, digest: str, size: str) -> HttpResponse:
    """Return an image in one of its sizes."""
    found = _image(digest)
    sizes = {f"{width},{height}": (width, height) for width, height in sizes_of(found)}
    if size != "max" and size not in sizes:
        raise RequestError(f"There is no size {size[:20]!r} of this image. Sizes: max, {', '.join(sizes)}.")
    is_full = size == "max" or sizes[size] == (found.width, found.height)
    try:
        body = media.read(found.key if is_full else found.thumbnail_key)
    except FileNotFoundError as reason:
        raise Http404(f"There is no image {digest}.") from reason
    return HttpResponse(body, "image/jpeg", headers={"Cache-Control": CACHE, **ANY_ORIGIN})


@json_view
def nothing(request: HttpRequest) -> dict[str, Any]:
    """Answer an address that is none of IIIF."""
    raise Http404(
        f"There is no {request.path}. There are /iiif/collection.json, /iiif/artworks/KEY/manifest.json and "
        "/iiif/images/DIGEST/info.json."
    )


def _image(digest: str) -> Image:
    found = Image.objects.filter(digest=digest, artworks__isnull=False).first()
    if found is None:
        raise Http404(f"There is no image {digest[:64]!r}.")
    return found


def _start(request: HttpRequest) -> int | None:
    value = request.GET.get("start")
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < MAX_DIGITS):
        raise RequestError(f"start is {value[:20]!r}. Give a number from 0.")
    return int(value)


def _part(request: HttpRequest, listing: Listing, start: int) -> dict[str, Any]:
    last = min(start + MANIFESTS, len(listing))
    return {
        "id": _address(request, listing, start),
        "type": "Collection",
        "label": text(f"{start + 1:,} to {last:,}"),
    }


def _address(request: HttpRequest, listing: Listing, start: int | None = None) -> str:
    parts = [listing.filters.query, "" if start is None else f"start={start}"]
    query = "&".join(filter(None, parts))
    return request.build_absolute_uri(request.path + (f"?{query}" if query else ""))
