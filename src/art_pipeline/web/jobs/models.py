"""A row per background job."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import models
from django.urls import reverse

from art_pipeline.web.catalogue.models import NAME


class State(models.TextChoices):
    """State of a job."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Queue(models.TextChoices):
    """Queue of a job; workers serve one or all."""

    DEFAULT = "default", "default"
    QUICK = "quick", "quick"


class Job(models.Model):
    """A background job.

    Attributes:
        kind: A key of `art_pipeline.web.jobs.kinds.KINDS`.
        key: What the job does; there is one job of each key, so that nothing is computed twice.
        title: What the page calls it.
        user: Who started it; null for the site itself.
        is_public: Whether everyone may see it, as what it is about; otherwise only its user.
        queue: ``quick`` for a job for which a user waits, which has workers of its own; otherwise ``default``.
        arguments: Arguments of the kind's function.
        address: Page that shows the result.
        done: Steps that are finished, of ``total``.
        total: Number of steps; 0 where it is not known yet.
        step: What is being computed.
        result: What the function returned.
        error: Why it failed, for the user.
        attempts: How often a worker has started it.
        task: The queued task that may run it. Another id means that the task has lost the job.
        beat: Last sign of life: when it was queued, and then every few seconds while it runs.
    """

    FINISHED: ClassVar = (State.DONE, State.FAILED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=NAME, unique=True)
    title = models.CharField(max_length=NAME)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="jobs")
    is_public = models.BooleanField(default=False)
    queue = models.CharField(max_length=32, choices=Queue, default=Queue.DEFAULT)
    arguments: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    address = models.CharField(max_length=NAME, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    step = models.CharField(max_length=NAME, blank=True)
    result: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    task = models.UUIDField(null=True)
    beat = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "beat"]), models.Index(fields=["kind", "finished"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the address of the job's state."""
        return reverse("jobs:job", args=[self.pk])

    @property
    def is_finished(self) -> bool:
        """Whether it is done or has failed."""
        return self.state in self.FINISHED

    def is_visible_to(self, user: AbstractUser | AnonymousUser) -> bool:
        """Return whether a user may see it."""
        return self.is_public or user.is_superuser or (user.is_authenticated and self.user_id == user.pk)
