"""Pages to browse."""

from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from art_pipeline.web.catalogue.facet_index import FacetIndex, facet_index
from art_pipeline.web.catalogue.models import Artwork, Feature, TrainedModel
from art_pipeline.web.explore import grid, linked_data, metadata, scores, terms
from art_pipeline.web.explore.curve import curve_context
from art_pipeline.web.explore.drawings import Size, draw_gist, draw_sift
from art_pipeline.web.explore.features import DRAWN, GIST, LENGTHS, key_points_kind, values_of
from art_pipeline.web.explore.listing import PAGE, Listing, Page
from art_pipeline.web.explore.panes import panes_of

DAY = 24 * 3600


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the grid of artworks."""
    listing = Listing.read(request.GET)
    filters = listing.filters
    page = _page(request, listing)
    context = {
        "filters": filters,
        "page": page,
        "number": page.start // PAGE + 1,
        "pages": grid.pages(page.total),
        "links": grid.page_links(page, filters),
        "facets": list(grid.facet_views(listing)),
        "chips": list(grid.chips(filters, listing.index.titles)),
        "sorts": grid.sorts(filters),
        "suggestions": list(grid.suggestions(listing)) if not page.total else [],
    }
    return render(request, "explore/home.html", context)


@require_safe
def values(request: HttpRequest, name: str) -> HttpResponse:
    """Show all values of a facet."""
    listing = Listing.read(request.GET)
    if name not in listing.index.titles or name.startswith("sort."):
        raise Http404(f"There is no filter {name!r}.")
    return render(request, "explore/values.html", terms.context(listing, name, request.GET))


@require_safe
def artwork(request: HttpRequest, key: str) -> HttpResponse:
    """Show an artwork."""
    found = get_object_or_404(Artwork.objects.select_related("image"), key=key)
    listing = Listing.read(request.GET)
    filters = listing.filters
    before, after = listing.around(found)
    context = {
        "artwork": found,
        "filters": filters,
        "back": grid.address(filters),
        "before": before,
        "after": after,
        "facts": metadata.facts(found),
        "source_address": metadata.source_address(found),
        "panes": panes_of(request, found),
        "linked_data": linked_data.script_of(request, found),
    }
    return render(request, "explore/artwork.html", context)


@require_safe
def drawing(_: HttpRequest, digest: str, kind: str) -> HttpResponse:
    """Draw stored features of an image, as SVG."""
    feature = get_object_or_404(Feature.objects.select_related("image"), image__digest=digest, kind=kind)
    if kind not in DRAWN or feature.length != LENGTHS[kind]:
        raise Http404(f"There is no drawing of {kind!r}.")
    return HttpResponse(_draw(feature), "image/svg+xml", headers={"Cache-Control": f"public, max-age={DAY}"})


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """Compare the models of each task."""
    groups = groupby(_current_models(), lambda one: one.vocabulary)
    tasks = [(vocabulary, scores.score_table(list(found))) for vocabulary, found in groups]
    return render(request, "explore/models.html", {"tasks": tasks, "mlflow": settings.MLFLOW_UI})


@require_safe
def model(request: HttpRequest, name: str) -> HttpResponse:
    """Show how good a model is."""
    found, index = _model(name), facet_index()
    context = index.result(("model", found.pk), lambda: _scores_of_predictions(index, found))
    context = context | {"model": found, "scores": scores.scores_of(found), "mlflow": settings.MLFLOW_UI}
    return render(request, "explore/model.html", context)


@require_safe
def card(_: HttpRequest, name: str) -> HttpResponse:
    """Return the model card, Markdown, as plain text."""
    text = _model(name).card
    if not text:
        raise Http404(f"The model {name} has no model card.")
    return HttpResponse(text, "text/plain; charset=utf-8")


def _current_models() -> QuerySet[TrainedModel]:
    current = TrainedModel.objects.filter(is_current=True).select_related("vocabulary").defer("card", "curve")
    return current.order_by("vocabulary__position", "vocabulary__name", "name")


def _model(name: str) -> TrainedModel:
    return get_object_or_404(TrainedModel.objects.select_related("vocabulary"), name=name, is_current=True)


def _scores_of_predictions(index: FacetIndex, model: TrainedModel) -> dict[str, Any]:
    selective = scores.selective(index, model)
    return {
        "selective": selective,
        "curve": curve_context(model.curve, selective),
        "classes": scores.class_scores(index, model),
        "confusion": [] if model.vocabulary.is_multilabel else scores.confusion(index, model),
    }


def _draw(feature: Feature) -> str:
    size = Size(feature.image.width, feature.image.height)
    if feature.kind == GIST:
        return draw_gist(values_of(feature)[0], size)
    points = get_object_or_404(Feature, image=feature.image, kind=key_points_kind(feature.kind))
    return draw_sift(values_of(points), size)


def _page(request: HttpRequest, listing: Listing) -> Page:
    number = request.GET.get("page", "")
    if number.isascii() and number.isdigit():
        last = grid.pages(len(listing))
        return listing.page_at((min(max(int(number[:9]), 1), last) - 1) * PAGE)
    return listing.page(request.GET.get("after", ""), request.GET.get("before", ""))
