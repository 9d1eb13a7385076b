"""The pane of an artwork's page, and of its review, that shows where models look."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from art_pipeline.web.catalogue.models import Artwork, TrainedModel
from art_pipeline.web.explore.predictions import predictions_of
from art_pipeline.web.jobs.models import Job
from art_pipeline.web.maps.work import job_key

SHOWN_CLASSES = 5
METHODS = {
    "cam": "class activation map",
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "layer_cam": "LayerCAM",
    "occlusion": "occlusion: what lowers the prediction where it is covered",
}

Choices = list[tuple[TrainedModel, list[tuple[str, float]]]]


def context(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:  # noqa: ARG001
    """Return the maps of an artwork, and those that can be computed; nothing without predictions or an image."""
    return shown(artwork)


def shown(artwork: Artwork, model: str | None = None) -> dict[str, Any]:
    """Return what the pane shows, of all models or of one."""
    choices = [one for one in choices_of(artwork) if model in {None, one[0].name}] if artwork.image else []
    if not choices:
        return {}
    return {"choices": choices, "maps": _maps(artwork, choices), "start": reverse("maps:start", args=[artwork.key])}


def choices_of(artwork: Artwork) -> Choices:
    """Return current models with their most probable classes for an artwork, and the probabilities."""
    return [(one.model, list(one.probabilities.items())[:SHOWN_CLASSES]) for one in predictions_of(artwork)]


def _maps(artwork: Artwork, choices: Choices) -> list[dict[str, Any]]:
    """Return the jobs of maps, the latest first, each with its model and class, and what it found."""
    assert artwork.image
    keys = {job_key(artwork.image, model, label): (model, label) for model, classes in choices for label, _ in classes}
    jobs = Job.objects.filter(key__in=list(keys)).order_by("-created")
    return [_map(job, *keys[job.key]) for job in jobs]


def _map(job: Job, model: TrainedModel, label: str) -> dict[str, Any]:
    found = job.result
    box = [round(100 * one) for one in found.get("box") or []]
    return {"job": job, "model": model, "label": label, "method": METHODS.get(found.get("method"), ""), "box": box}
