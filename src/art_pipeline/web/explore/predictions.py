"""What each model predicts for an artwork, and where each prediction comes from."""

from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from art_pipeline.web.catalogue.models import Artwork, Prediction
from art_pipeline.web.explore.labels import filter_address

ORIGINS = {
    "held_out": "predicted by a model that was not trained on this image",
    "out_of_fold": "predicted in cross-validation, by a model that was not trained on this image",
    "resubstitution": "predicted by a model that was trained on this image; too optimistic",
    "upload": "predicted for an uploaded image",
}
SHOWN_CLASSES = 5


def context(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:  # noqa: ARG001
    """Return the predictions of each task; nothing without any."""
    groups = groupby(predictions_of(artwork), lambda one: one.model.vocabulary)
    tasks = [(vocabulary, [_shown(one) for one in found]) for vocabulary, found in groups]
    return {"tasks": tasks} if tasks else {}


def provenance(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:  # noqa: ARG001
    """Return where each prediction comes from, and the address that verifies it; nothing without predictions."""
    rows = [
        {"prediction": one, "origin": ORIGINS.get(one.origin, one.origin), "verify": _verify_address(artwork, one)}
        for one in predictions_of(artwork)
    ]
    return {"rows": rows} if rows else {}


def predictions_of(artwork: Artwork) -> list[Prediction]:
    """Return the predictions of current models, ordered by task; read once."""
    if not hasattr(artwork, "_shown_predictions"):
        found = artwork.predictions.filter(model__is_current=True).select_related("model__vocabulary", "term")
        found = found.defer("model__card", "model__curve").order_by("model__vocabulary__position", "model__name")
        artwork._shown_predictions = list(found)
    predictions: list[Prediction] = artwork._shown_predictions
    return predictions


def _shown(prediction: Prediction) -> dict[str, Any]:
    model = prediction.model
    classes = sorted(prediction.probabilities.items(), key=lambda item: -item[1])[:SHOWN_CLASSES]
    return {
        "model": model,
        "prediction": prediction,
        "labels": [(one, filter_address(**{f"predicted.{model.name}": one})) for one in prediction.labels],
        "classes": classes,
        "threshold": model.threshold_of(prediction.term.name),
    }


def _verify_address(artwork: Artwork, prediction: Prediction) -> str:
    try:
        return reverse("uploads:verify", args=[artwork.key, prediction.model.name])
    except NoReverseMatch:
        return ""
