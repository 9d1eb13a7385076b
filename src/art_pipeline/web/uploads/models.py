"""What users upload, and the predictions that they ask for."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import models
from django.urls import reverse

from art_pipeline.web.accounts.roles import can_upload
from art_pipeline.web.catalogue.models import NAME, Artwork, Image
from art_pipeline.web.jobs.models import Job


class Upload(models.Model):
    """An uploaded artwork; its features and predictions follow in the background."""

    artwork = models.OneToOneField(Artwork, on_delete=models.CASCADE, related_name="upload")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="uploads")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-created"])]


class PredictionRequest(models.Model):
    """A prediction of one task that a user asks for, and its result.

    Attributes:
        name: What the user calls the image.
        task: Name of the task.
        model: Name of the model that predicts.
        record: Digest of the model's lineage record.
        result: As `art_pipeline.web.predictors.Predicted`; ``probabilities`` is a list of pairs; empty before the job
            is done.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="prediction_requests")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=NAME, blank=True)
    task = models.CharField(max_length=80)
    model = models.CharField(max_length=80)
    record = models.CharField(max_length=64)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="+")
    result: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-created"]), models.Index(fields=["-created"])]

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("uploads:prediction", args=[self.pk])

    @classmethod
    def visible_to(cls, user: AbstractUser | AnonymousUser) -> "models.QuerySet[PredictionRequest]":
        """Return the predictions that a user may see: their own; those of all where ``SHARED_PREDICTIONS`` is set."""
        everyone = (settings.SHARED_PREDICTIONS and can_upload(user)) or user.is_superuser
        return cls.objects.all() if everyone else cls.objects.filter(user_id=user.pk)

    @property
    def best(self) -> tuple[str, float] | None:
        """The most probable class and its probability; None before the job is done."""
        pairs = self.result.get("probabilities")
        return (pairs[0][0], pairs[0][1]) if pairs else None
