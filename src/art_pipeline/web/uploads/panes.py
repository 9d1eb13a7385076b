"""The panes of an artwork's page that follow its background jobs, and that let its user delete an upload."""

from typing import Any

from django.http import HttpRequest

from art_pipeline.web.catalogue.models import Artwork, Origin
from art_pipeline.web.jobs.models import Job, State
from art_pipeline.web.uploads.models import Upload
from art_pipeline.web.uploads.work import job_keys


def context(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:  # noqa: ARG001
    """Return the jobs about an artwork that are not done; nothing without any."""
    jobs = list(Job.objects.filter(key__in=job_keys(artwork)).exclude(state=State.DONE))
    return {"jobs": jobs} if jobs else {}


def own_upload(request: HttpRequest, artwork: Artwork) -> dict[str, Any]:
    """Return the upload where it is the user's own; nothing otherwise."""
    if artwork.origin != Origin.UPLOAD or not request.user.is_authenticated:
        return {}
    found = Upload.objects.filter(artwork=artwork, user=request.user).first()
    return {"upload": found} if found else {}
