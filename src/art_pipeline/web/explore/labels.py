"""The labels of an artwork, as links to filters."""

from itertools import groupby
from typing import Any

from django.http import HttpRequest

from art_pipeline.web.catalogue.models import Artwork, ArtworkTerm
from art_pipeline.web.explore.filters import Filters
from art_pipeline.web.explore.grid import address, shown


def context(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:  # noqa: ARG001
    """Return the labels of each vocabulary, with the split of a task's."""
    links = artwork.labels.select_related("term__vocabulary").order_by(
        "term__vocabulary__position", "term__vocabulary__name", "term__name"
    )
    groups = [(vocabulary, list(found)) for vocabulary, found in groupby(links, lambda one: one.term.vocabulary)]
    return {"groups": [_group(vocabulary.name, vocabulary.title, found) for vocabulary, found in groups]}


def filter_address(**chosen: str) -> str:
    """Return the address of the artworks that have a value of each facet."""
    return address(Filters(tuple((name, (value,)) for name, value in chosen.items())))


def _group(name: str, title: str, links: list[ArtworkTerm]) -> dict[str, Any]:
    split = links[0].split
    return {
        "title": title,
        "terms": [(one.term.name, filter_address(**{name: one.term.name}), one.origin) for one in links],
        "split": shown(f"split.{name}", split) if split else "",
    }
