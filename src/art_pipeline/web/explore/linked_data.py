"""An artwork as a VisualArtwork of schema.org, in JSON-LD: what search engines read."""

import json
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.explore.metadata import rights_address, source_address

ESCAPES = {ord(one): f"\\u{ord(one):04X}" for one in "<>&"}  # so that no text ends the element


def script_of(request: HttpRequest, artwork: Artwork) -> SafeString:
    """Return the JSON of an artwork, for an element ``script``."""
    return mark_safe(json.dumps(visual_artwork(request, artwork), ensure_ascii=False).translate(ESCAPES))


def visual_artwork(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:
    """Return an artwork as JSON-LD, without what is not known."""
    page = request.build_absolute_uri(artwork.get_absolute_url())
    image, owner = artwork.image, artwork.metadata.get("repository")
    found = {
        "@context": "https://schema.org",
        "@type": "VisualArtwork",
        "@id": page,
        "url": page,
        "name": artwork.title,
        "identifier": artwork.key,
        "creator": {"@type": "Person", "name": artwork.artist} if artwork.artist else None,
        "dateCreated": artwork.date,
        "artMedium": artwork.medium,
        "artform": artwork.metadata.get("classification"),
        "keywords": artwork.keywords,
        "image": image and request.build_absolute_uri(image.url),
        "thumbnailUrl": image and request.build_absolute_uri(image.thumbnail_url),
        "license": rights_address(artwork),
        "creditText": owner,
        "sameAs": source_address(artwork),
        "subjectOf": request.build_absolute_uri(reverse("iiif:manifest", args=[artwork.key])),
    }
    return {name: value for name, value in found.items() if value}
