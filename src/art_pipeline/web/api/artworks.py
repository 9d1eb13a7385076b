"""Artworks as JSON values."""

from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from art_pipeline.web.catalogue.models import Artwork, Image, Prediction
from art_pipeline.web.explore.predictions import predictions_of

Json = dict[str, Any]


def summary(request: HttpRequest, artwork: Artwork) -> Json:
    """Return an artwork as in a list."""
    return {
        "key": artwork.key,
        "title": artwork.title,
        "artist": artwork.artist,
        "date": artwork.date,
        "year": artwork.year,
        "thumbnail": _absolute(request, artwork.image.thumbnail_url) if artwork.image else None,
        "page": _absolute(request, artwork.get_absolute_url()),
        "address": _absolute(request, reverse("api:artwork", args=[artwork.key])),
        "manifest": _absolute(request, reverse("iiif:manifest", args=[artwork.key])),
    }


def details(request: HttpRequest, artwork: Artwork) -> Json:
    """Return an artwork with its labels, predictions and their provenance."""
    return {
        **summary(request, artwork),
        "origin": artwork.origin,
        "culture": artwork.culture,
        "medium": artwork.medium,
        "metadata": artwork.metadata,
        "source": artwork.object_url,
        "image": _image(request, artwork.image) if artwork.image else None,
        "labels": _labels(artwork),
        "predictions": [_prediction(one) for one in predictions_of(artwork)],
        "features": _features(artwork),
    }


def _image(request: HttpRequest, image: Image) -> Json:
    return {
        "address": _absolute(request, image.url),
        "sha256": image.digest,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes,
        "source": {
            "width": image.source_width,
            "height": image.source_height,
            "mode": image.mode,
            "channels": image.channels,
        },
    }


def _labels(artwork: Artwork) -> Json:
    links = artwork.labels.select_related("term__vocabulary")
    links = links.order_by("term__vocabulary__position", "term__vocabulary__name", "term__name")
    groups = groupby(links, lambda link: link.term.vocabulary.name)
    return {
        name: [{"label": link.term.name, "split": link.split or None, "origin": link.origin} for link in found]
        for name, found in groups
    }


def _prediction(prediction: Prediction) -> Json:
    model = prediction.model
    return {
        "task": model.vocabulary.name,
        "labels": prediction.labels,
        "probability": prediction.probability,
        "accepted": prediction.accepted,
        "correct": prediction.is_correct,
        "origin": prediction.origin,
        "split": prediction.split or None,
        "probabilities": prediction.probabilities,
        "model": {
            "name": model.name,
            "kind": model.kind,
            "address": model.address,
            "data": model.data,
            "record": model.record,
            "commit": model.commit or None,
        },
    }


def _features(artwork: Artwork) -> list[Json]:
    if artwork.image is None:
        return []
    return list(artwork.image.features.order_by("kind").values("kind", "version", "dtype", "rows", "length"))


def _absolute(request: HttpRequest, path: str) -> str:
    return request.build_absolute_uri(path)
