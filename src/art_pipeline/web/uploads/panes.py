"""The pane of an artwork's page that follows its background jobs."""

from typing import Any

from django.http import HttpRequest

from art_pipeline.web.catalogue.models import Artwork
from art_pipeline.web.jobs.models import Job, State
from art_pipeline.web.uploads.work import job_keys


def context(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:  # noqa: ARG001
    """Return the jobs about an artwork that are not done; nothing without any."""
    jobs = list(Job.objects.filter(key__in=job_keys(artwork)).exclude(state=State.DONE))
    return {"jobs": jobs} if jobs else {}
