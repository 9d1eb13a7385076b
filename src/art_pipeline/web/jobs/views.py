"""State and progress of a job."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from art_pipeline.web.jobs.models import Job


@never_cache
@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show a job; with ``Accept: application/json``, as JSON with a fragment of HTML. Others' jobs are not found."""
    found = Job.objects.filter(pk=job_id).first()
    if found is None or not found.is_visible_to(request.user):
        raise Http404("There is no such job.")
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(_as_json(request, found))
    return render(request, "jobs/job.html", {"job": found})


def _as_json(request: HttpRequest, found: Job) -> dict[str, object]:
    names = ("state", "done", "total", "step", "error", "address", "is_finished")
    html = render_to_string("jobs/progress.html", {"job": found}, request)
    return {name: getattr(found, name) for name in names} | {"html": html}
