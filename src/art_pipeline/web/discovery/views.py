"""Pages of clusterings: the list, one clustering, one cluster, and the map."""

from collections import defaultdict

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from art_pipeline.web.discovery.models import Clustering, Membership
from art_pipeline.web.discovery.windows import Window, choose_cells

PAGE = 48
NEAREST = 6
ORDERS = {"nearest": "nearest to the centre first", "farthest": "farthest from the centre first"}


def clusterings(request: HttpRequest) -> HttpResponse:
    """Show all clusterings."""
    return render(request, "discovery/clusterings.html", {"clusterings": Clustering.objects.order_by("name")})


def clustering(request: HttpRequest, name: str) -> HttpResponse:
    """Show a clustering: a row per cluster, with the artworks nearest to its centre."""
    found = get_object_or_404(Clustering, name=name)
    nearest = defaultdict(list)
    members = found.members.filter(rank__lte=NEAREST).select_related("artwork__image").order_by("number", "rank")
    for one in members:
        nearest[one.number].append(one.artwork)
    rows = [(cluster, nearest[cluster.number]) for cluster in found.clusters.select_related("clustering")]
    return render(request, "discovery/clustering.html", {"clustering": found, "rows": rows})


def cluster(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Show the artworks of a cluster, by distance to its centre."""
    found = get_object_or_404(Clustering, name=name)
    own = get_object_or_404(found.clusters.select_related("clustering"), number=number)
    order = request.GET.get("order", "")
    order = order if order in ORDERS else "nearest"
    members = found.members.filter(number=number).select_related("artwork__image")
    page = Paginator(members.order_by("rank" if order == "nearest" else "-rank"), PAGE).get_page(
        request.GET.get("page")
    )
    shown = {"clustering": found, "cluster": own, "page": page, "order": order, "orders": ORDERS.items()}
    return render(request, "discovery/cluster.html", shown)


def collection_map(request: HttpRequest, name: str) -> HttpResponse:
    """Show a window of the map, and the same artworks as a list."""
    found = get_object_or_404(Clustering, name=name, has_map=True)
    window = Window.of(request.GET)
    places = list(window.within(found.members).values_list("pk", "x", "y"))
    cells = choose_cells([(x, y) for _, x, y in places], window)
    chosen = {places[image][0]: (column, row) for column, row, image in cells}
    members = Membership.objects.filter(pk__in=chosen).select_related("artwork__image").order_by("number", "rank")
    drawn = [(one, *window.box(*chosen[one.pk])) for one in members]
    shown = {"clustering": found, "window": window, "drawn": drawn, "total": len(places)}
    return render(request, "discovery/map.html", shown)


def artists(request: HttpRequest, name: str) -> HttpResponse:
    """Show the nearest earlier artists of each artist."""
    found = get_object_or_404(Clustering, name=name)
    if not found.artists:
        raise Http404("The clustering has no influences.")
    return render(request, "discovery/artists.html", {"clustering": found})
