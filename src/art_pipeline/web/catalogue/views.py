"""Images and thumbnails, which browsers may keep for ever: their address contains their digest."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.models import Image

CACHE = "public, max-age=31536000, immutable"
DIGEST = re.compile(r"[0-9a-f]{64}")


@require_safe
def image(_: HttpRequest, digest: str) -> HttpResponse:
    """Return an image."""
    return _jpeg(digest, thumbnail=False)


@require_safe
def thumbnail(_: HttpRequest, digest: str) -> HttpResponse:
    """Return a thumbnail."""
    return _jpeg(digest, thumbnail=True)


def _jpeg(digest: str, *, thumbnail: bool) -> HttpResponse:
    if not DIGEST.fullmatch(digest):
        raise Http404
    found = Image(digest=digest)
    try:
        body = media.read(found.thumbnail_key if thumbnail else found.key)
    except FileNotFoundError as error:
        raise Http404("There is no such image.") from error
    return HttpResponse(body, "image/jpeg", headers={"Cache-Control": CACHE})
