"""The pane of an artwork's page with similar works."""

from typing import Any

from django.http import HttpRequest

from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.similar.search import conditions_for, search_space

PARAMETER, SHOWN = "similar", 12


def context(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:
    """Return the most similar works, by the conditions of the request; nothing for a work that is not in the space."""
    space = search_space()
    if space is None or space.place(artwork) is None:
        return {}
    known = conditions_for(artwork)
    chosen = [name for name, _ in known if name in request.GET.getlist(PARAMETER)]
    kept = [(name, value) for name, values in request.GET.lists() if name != PARAMETER for value in values]
    return {
        "works": space.similar(artwork, SHOWN, chosen),
        "conditions": [(name, text, name in chosen) for name, text in known],
        "parameter": PARAMETER,
        "kept": kept,
    }
