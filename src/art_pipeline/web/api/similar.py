"""Similar works in the JSON API."""

from typing import Any

from django.http import Http404, HttpRequest

from art_pipeline.errors import did_you_mean
from art_pipeline.web.api.artworks import summary
from art_pipeline.web.api.parameters import limit_of
from art_pipeline.web.api.responses import RequestError, json_view
from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.similar.search import conditions_for, search_space

DEFAULT = 12
CONDITION, PARAMETERS = "only", ("only", "limit")


@json_view
def similar(request: HttpRequest, key: str) -> dict[str, Any]:
    """List the works most similar to an artwork, the most similar first."""
    artwork = Artwork.objects.filter(key=key).first()
    if artwork is None:
        raise Http404(f"There is no artwork {key!r}.")
    space = search_space()
    if space is None or space.place(artwork) is None:
        raise Http404(f"Artwork {key!r} has no similar works: no analysis of similar works has its image.")
    conditions = _conditions(request, artwork)
    found = space.similar(artwork, limit_of(request, DEFAULT), conditions)
    works = [{**summary(request, one), "similarity": round(value, 6)} for one, value in found]
    return {"key": artwork.key, "space": space.name, "only": conditions, "artworks": works}


def _conditions(request: HttpRequest, artwork: Artwork) -> list[str]:
    known = [name for name, _ in conditions_for(artwork)]
    for name in request.GET:
        if name not in PARAMETERS:
            raise RequestError(f"There is no parameter {name!r}. There are {' and '.join(PARAMETERS)}.")
    wanted = request.GET.getlist(CONDITION)
    for name in wanted:
        if name not in known:
            raise RequestError(
                f"only cannot be {name!r} for this artwork.{did_you_mean(name, known)} It can be: "
                f"{', '.join(known) or 'nothing, as its artist, year and labels are unknown'}."
            )
    return wanted
