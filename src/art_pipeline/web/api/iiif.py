"""IIIF: Presentation API 3 (manifests, collections) and Image API 3, level 0 (fixed sizes).

Predictions are annotations of a canvas, on a page of their own whose label and whose ``creator`` say that a program
made them.
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from art_pipeline.web.catalogue.media import thumbnail_size
from art_pipeline.web.catalogue.models import Artwork, Image, Prediction
from art_pipeline.web.explore.metadata import facts, rights_address, source_address
from art_pipeline.web.explore.predictions import predictions_of

PRESENTATION = "http://iiif.io/api/presentation/3/context.json"
IMAGE = "http://iiif.io/api/image/3/context.json"
JPEG = "image/jpeg"

Json = dict[str, Any]


def manifest_of(request: HttpRequest, artwork: Artwork) -> Json:
    """Return the manifest of an artwork; without an image, its canvas is empty."""
    address = request.build_absolute_uri(reverse("iiif:manifest", args=[artwork.key]))
    page = request.build_absolute_uri(artwork.get_absolute_url())
    found: Json = {"@context": PRESENTATION, "id": address, "type": "Manifest", "label": text(artwork.title)}
    found["metadata"] = [_pair(title, value) for title, value in _facts(artwork)]
    found["homepage"] = [{"id": page, "type": "Text", "label": text(artwork.title), "format": "text/html"}]
    if rights := rights_address(artwork):
        found["rights"] = rights
    if owner := artwork.metadata.get("repository"):
        found["requiredStatement"] = _pair("Collection", owner)
    if source := source_address(artwork):
        found["seeAlso"] = [{"id": source, "type": "Text", "label": text("Record at the source")}]
    if artwork.image:
        found["thumbnail"] = [thumbnail_of(request, artwork.image)]
    return {**found, "items": [_canvas(request, artwork, address)]}


def collection_of(address: str, label: str, items: Sequence[Json]) -> Json:
    """Return a collection of manifests or collections."""
    return {
        "@context": PRESENTATION,
        "id": address,
        "type": "Collection",
        "label": text(label),
        "items": list(items),
    }


def manifest_reference(request: HttpRequest, artwork: Artwork) -> Json:
    """Return an artwork as an item of a collection."""
    address = request.build_absolute_uri(reverse("iiif:manifest", args=[artwork.key]))
    found: Json = {"id": address, "type": "Manifest", "label": text(artwork.title)}
    return found | ({"thumbnail": [thumbnail_of(request, artwork.image)]} if artwork.image else {})


def info_of(request: HttpRequest, image: Image) -> Json:
    """Return the information of an image: its sizes."""
    sizes = [dict(zip(("width", "height"), size, strict=True)) for size in sizes_of(image)]
    return {
        "@context": IMAGE,
        "id": _service_address(request, image),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level0",
        "width": image.width,
        "height": image.height,
        "sizes": sizes,
    }


def sizes_of(image: Image) -> list[tuple[int, int]]:
    """Return width and height of the thumbnail and of the image; one size where they are the same."""
    return list(dict.fromkeys([thumbnail_size(image.width, image.height), (image.width, image.height)]))


def thumbnail_of(request: HttpRequest, image: Image) -> Json:
    """Return the thumbnail of an image as a resource."""
    width, height = thumbnail_size(image.width, image.height)
    address = request.build_absolute_uri(reverse("iiif:size", args=[image.digest, f"{width},{height}"]))
    return {"id": address, "type": "Image", "format": JPEG, "width": width, "height": height}


def text(value: str, language: str = "none") -> dict[str, list[str]]:
    """Return a text of a language; of titles, the language is unknown."""
    return {language: [value]}


def _canvas(request: HttpRequest, artwork: Artwork, manifest: str) -> Json:
    image = artwork.image
    canvas, size = f"{manifest}/canvas", (image.width, image.height) if image else (1, 1)
    painted = [_painting(request, image, canvas)] if image else []
    found: Json = {"id": canvas, "type": "Canvas", "label": text(artwork.title)}
    found |= {"width": size[0], "height": size[1]}
    found["items"] = [{"id": f"{canvas}/image", "type": "AnnotationPage", "items": painted}]
    predictions = [_annotation(one, canvas) for one in predictions_of(artwork)]
    if predictions:
        label = text("Machine-made predictions", "en")
        page = {"id": f"{canvas}/predictions", "type": "AnnotationPage", "label": label, "items": predictions}
        found["annotations"] = [page]
    return found


def _painting(request: HttpRequest, image: Image, canvas: str) -> Json:
    address = request.build_absolute_uri(reverse("iiif:size", args=[image.digest, "max"]))
    service = {"id": _service_address(request, image), "type": "ImageService3", "profile": "level0"}
    body = {"id": address, "type": "Image", "format": JPEG, "width": image.width, "height": image.height}
    annotation = {"id": f"{canvas}/image/painting", "type": "Annotation", "motivation": "painting", "target": canvas}
    return annotation | {"body": body | {"service": [service]}}


def _annotation(prediction: Prediction, canvas: str) -> Json:
    model = prediction.model
    labels = ", ".join(prediction.labels) or "no label"
    value = f"{model.vocabulary.title}: {labels} (predicted by {model.name}, probability {prediction.probability:.2f})"
    return {
        "id": f"{canvas}/predictions/{model.name}",
        "type": "Annotation",
        "motivation": "tagging",
        "creator": {"type": "Software", "name": f"{model.name} of art_pipeline, lineage record {model.record}"},
        "body": {"type": "TextualBody", "value": value, "format": "text/plain", "language": "en"},
        "target": canvas,
    }


def _facts(artwork: Artwork) -> list[tuple[str, str]]:
    fields = {"Artist": "artist", "Date": "date", "Culture": "culture", "Medium": "medium"}
    own = [(title, getattr(artwork, name)) for title, name in fields.items()]
    return [(title, value) for title, value in own if value] + facts(artwork)


def _pair(title: str, value: str) -> Json:
    return {"label": text(title, "en"), "value": text(value)}


def _service_address(request: HttpRequest, image: Image) -> str:
    return request.build_absolute_uri(reverse("iiif:image", args=[image.digest]))
