"""Pages to upload an artwork, to predict an image, and to start jobs about an artwork."""

from collections import Counter
from collections.abc import Callable
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from art_pipeline.web.away import is_away
from art_pipeline.web.catalogue.models import NAME, Artwork, TrainedModel, Vocabulary
from art_pipeline.web.catalogue.ranking import models_by_task
from art_pipeline.web.uploads.access import for_cataloguers
from art_pipeline.web.uploads.deleting import delete_upload, is_decided
from art_pipeline.web.uploads.forms import PredictForm, UploadForm
from art_pipeline.web.uploads.models import PredictionRequest
from art_pipeline.web.uploads.similar import similar_works
from art_pipeline.web.uploads.storing import ARTIST, store_request, store_upload
from art_pipeline.web.uploads.texts import clean_text
from art_pipeline.web.uploads.throttle import too_many
from art_pipeline.web.uploads.verification import start_verification, verification_of
from art_pipeline.web.uploads.work import start_extraction

SHOWN_CLASSES = 5
CONFLICT, INVALID, TOO_MANY, AWAY = 409, 422, 429, 503
STORAGE_AWAY = "The storage of images cannot be reached, and nothing was saved. Try again in a minute."


@for_cataloguers
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Add an artwork."""
    vocabularies = Vocabulary.objects.filter(Q(is_task=True) | Q(column=ARTIST))
    form = UploadForm(request.POST or None, request.FILES or None, vocabularies=vocabularies)

    def store(data: dict[str, Any]) -> Artwork:
        return store_upload(request.user, data["token"], data["image"], data["title"], data["labels"])

    return _store(request, form, store) or _page(request, "uploads/upload.html", form, {})


@for_cataloguers
@require_http_methods(["GET", "HEAD", "POST"])
def predict(request: HttpRequest) -> HttpResponse:
    """Predict a task for an image, and show the latest predictions."""
    models = models_by_task()
    form = PredictForm(request.POST or None, request.FILES or None, models=models)

    def store(data: dict[str, Any]) -> PredictionRequest:
        name = _name_of(request.FILES["image"])
        return store_request(request.user, data["token"], data["image"], name, data["model"])

    latest = PredictionRequest.visible_to(request.user).select_related("image", "job", "user").order_by("-created")
    context = {"models": models, "latest": latest[: settings.LATEST_PREDICTIONS], "shared": settings.SHARED_PREDICTIONS}
    return _store(request, form, store) or _page(request, "uploads/predict.html", form, context)


@for_cataloguers
@require_safe
def prediction(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Show a prediction, or how far it is."""
    visible = PredictionRequest.visible_to(request.user).select_related("image", "job", "user")
    found = get_object_or_404(visible, pk=request_id)
    model = TrainedModel.objects.select_related("vocabulary").filter(name=found.model, record=found.record).first()
    task = model.vocabulary if model else found.task
    context = {"prediction": found, "model": model, "task": task, "classes": [], "similar": []}
    if found.result:
        probabilities = dict(found.result["probabilities"])
        context["classes"] = list(probabilities.items())[:SHOWN_CLASSES]
        context["similar"] = similar_works(model, found.image, probabilities) if model else []
    return render(request, "uploads/prediction.html", context)


@for_cataloguers
@require_POST
def extract(request: HttpRequest, key: str) -> HttpResponse:
    """Start the extraction of an artwork's features."""
    artwork = get_object_or_404(Artwork, key=key, image__isnull=False)
    start_extraction(artwork, request.user)
    return redirect(artwork)


@for_cataloguers
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask whether an upload of the user's own is to be deleted; delete it on POST."""
    own = Artwork.objects.select_related("image").filter(upload__user=request.user)
    artwork = get_object_or_404(own, key=key)
    if request.method == "POST" and delete_upload(artwork):
        messages.success(request, f"“{artwork.title}” is deleted.")
        return redirect("explore:home")
    context = {"artwork": artwork, "is_decided": is_decided(artwork)}
    return render(request, "uploads/delete.html", context, status=CONFLICT if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, key: str, model: str) -> HttpResponse:
    """Show the last verification of a model's result; start one on POST."""
    artwork = get_object_or_404(Artwork, key=key)
    found = TrainedModel.objects.filter(name=model, is_current=True).first()
    if found is None:
        raise Http404("There is no such model.")
    if request.method == "POST":
        return _start_verification(request, artwork, found)
    job = verification_of(found)
    counts = Counter(check["status"] for check in job.result.get("checks", [])) if job else Counter()
    context = {"artwork": artwork, "model": found, "job": job, "counts": list(counts.items())}
    return render(request, "uploads/verification.html", context)


@for_cataloguers
def _start_verification(request: HttpRequest, artwork: Artwork, model: TrainedModel) -> HttpResponse:
    address = reverse("uploads:verify", args=[artwork.key, model.name])
    start_verification(model, request.user, address)
    return HttpResponseRedirect(address)


def _store(
    request: HttpRequest, form: forms.Form, store: Callable[[dict[str, Any]], Artwork | PredictionRequest]
) -> HttpResponse | None:
    """Store what a valid form holds, and redirect to its page; None where the form is to be shown."""
    if request.method != "POST":
        return None
    message = too_many(request.user)
    if message:
        return render(request, "uploads/refused.html", {"message": message}, status=TOO_MANY)
    if not form.is_valid():
        return None
    try:
        return redirect(store(form.cleaned_data))
    except Exception as error:
        if not is_away(error):
            raise
        form.status = AWAY
        form.add_error(None, STORAGE_AWAY)
        return None


def _page(request: HttpRequest, template: str, form: forms.Form, context: dict[str, Any]) -> HttpResponse:
    status = getattr(form, "status", INVALID) if request.method == "POST" else 200
    return render(
        request, template, context | {"form": form, "max_megabytes": settings.MAX_UPLOAD_MEGABYTES}, status=status
    )


def _name_of(file: UploadedFile) -> str:
    """Return the file's name, without its folder and ending, as the name of the image."""
    return clean_text(PurePath(file.name or "").stem)[:NAME]
