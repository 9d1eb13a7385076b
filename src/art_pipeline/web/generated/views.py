"""The page of generated images, and their sheets."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from art_pipeline.web.catalogue import media
from art_pipeline.web.generated.models import Generator, key_of

CACHE = "public, max-age=31536000, immutable"
DIGEST = re.compile(r"[0-9a-f]{64}")


@require_safe
def generators(request: HttpRequest) -> HttpResponse:
    """Show the sheets and measurements of all generators."""
    found = Generator.objects.prefetch_related("sheets")
    return render(request, "generated/generators.html", {"generators": found})


@require_safe
def sheet(_: HttpRequest, digest: str) -> HttpResponse:
    """Return a sheet as PNG, with its metadata."""
    if not DIGEST.fullmatch(digest):
        raise Http404
    try:
        body = media.read(key_of(digest))
    except FileNotFoundError as error:
        raise Http404("There is no such sheet.") from error
    return HttpResponse(body, "image/png", headers={"Cache-Control": CACHE})
