"""The pane of an artwork with its clusters and its possible influences."""

from typing import Any

from django.http import HttpRequest

from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.discovery.models import Influence, Membership

LEADING = 3  # works of a component
WHOLE = "whole"


def context(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:  # noqa: ARG001
    """Return clusters, mixture components with leading works, and nearest earlier works; empty without a clustering."""
    memberships = list(artwork.memberships.select_related("clustering").order_by("clustering__name"))
    if not memberships:
        return {}
    found = artwork.influences.select_related("earlier__image", "clustering").order_by(
        "clustering__name", "part", "rank"
    )
    influences = sorted(found, key=lambda one: (one.clustering.name, one.part != WHOLE))
    return {
        "memberships": memberships,
        "components": [(one, _components(one)) for one in memberships if one.components],
        "influences": [(one, _how(one)) for one in influences],
    }


def _components(membership: Membership) -> list[dict[str, Any]]:
    """Return the leading components with their leading works."""
    numbers = [number for number, _ in membership.components]
    leading = Membership.objects.filter(
        clustering=membership.clustering, number__in=numbers, rank__lte=LEADING
    ).select_related("artwork__image")
    works = {number: [one.artwork for one in leading.order_by("rank") if one.number == number] for number in numbers}
    return [{"number": number, "share": share, "works": works[number]} for number, share in membership.components]


def _how(influence: Influence) -> str:
    return "by all features" if influence.part == WHOLE else f"by {influence.part.replace('_', ' ')}"
