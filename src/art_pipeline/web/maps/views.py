"""Start a map, and return its image."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.catalogue.views import CACHE, DIGEST
from art_pipeline.web.maps.panes import choices_of
from art_pipeline.web.maps.work import image_key, start_map
from art_pipeline.web.uploads.access import for_cataloguers


@for_cataloguers
@require_POST
def start(request: HttpRequest, key: str) -> HttpResponse:
    """Start the map of a model and a class, and go back to the page."""
    artwork = get_object_or_404(Artwork.objects.select_related("image"), key=key, image__isnull=False)
    number, _, label = request.POST.get("choice", "").partition(":")
    for model, labels in choices_of(artwork):
        if str(model.pk) == number and label in [name for name, _ in labels]:
            start_map(artwork, model, label, request.user)
            return HttpResponseRedirect(_next(request, artwork))
    raise Http404("The model has no such prediction for this artwork.")


@require_safe
def image(_: HttpRequest, digest: str) -> HttpResponse:
    """Return the image of a map."""
    if not DIGEST.fullmatch(digest):
        raise Http404
    try:
        body = media.read(image_key(digest))
    except FileNotFoundError as error:
        raise Http404("There is no such map.") from error
    return HttpResponse(body, "image/jpeg", headers={"Cache-Control": CACHE})


def _next(request: HttpRequest, artwork: Artwork) -> str:
    wanted = request.POST.get("next", "")
    is_own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_own else f"{artwork.get_absolute_url()}#maps"
