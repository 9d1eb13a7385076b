"""The panes of an artwork's page. A further pane is one line in `PANES`, with its template and its context."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpRequest

from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.discovery import panes as clusters
from art_pipeline.web.explore import features, labels, predictions
from art_pipeline.web.maps import panes as maps
from art_pipeline.web.similar import panes as similar
from art_pipeline.web.uploads import panes as uploads


class Pane(NamedTuple):
    """A part of an artwork's page.

    Attributes:
        name: Its id in the page.
        title: Its heading.
        template: Its template.
        context: What the template shows, from the request and the artwork; an empty one leaves the pane out.
    """

    name: str
    title: str
    template: str
    context: Callable[[HttpRequest, Artwork], dict[str, Any]]


PANES = [
    Pane("jobs", "In the background", "uploads/panes/jobs.html", uploads.context),
    Pane("labels", "Labels", "explore/panes/labels.html", labels.context),
    Pane("predictions", "Predictions", "explore/panes/predictions.html", predictions.context),
    Pane("maps", "Where the models look", "maps/panes/maps.html", maps.context),
    Pane("similar", "Similar works", "similar/pane.html", similar.context),
    Pane("clusters", "Clusters and possible influences", "discovery/panes/clusters.html", clusters.context),
    Pane("features", "Features", "explore/panes/features.html", features.context),
    Pane("provenance", "Provenance of the predictions", "explore/panes/provenance.html", predictions.provenance),
    Pane("upload", "Your upload", "uploads/panes/own.html", uploads.own_upload),
]


def panes_of(request: HttpRequest, artwork: Artwork) -> list[tuple[Pane, dict[str, Any]]]:
    """Return the panes that have something to show, with what they show."""
    found = ((pane, pane.context(request, artwork)) for pane in PANES)
    return [(pane, context) for pane, context in found if context]
