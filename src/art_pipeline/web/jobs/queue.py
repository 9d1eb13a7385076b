"""Start jobs, and start those again whose worker died."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from art_pipeline.web.jobs.models import Job, State
from art_pipeline.web.jobs.tasks import run_job

LOST_AFTER = timedelta(seconds=30)  # without a sign of life
MAX_ATTEMPTS = 5
GIVEN_UP = "It was stopped {attempts} times before it could finish. See the log of kedro web start."


@transaction.atomic
def start(
    kind: str,
    key: str,
    *,
    again: bool = False,
    user: AbstractUser | None = None,
    **values: Any,
) -> Job:
    """Start a job, unless there is one of its key.

    A job that failed starts again.

    Args:
        kind: See `art_pipeline.web.jobs.kinds`.
        key: What the job does; see `Job`.
        again: Whether a job that is done starts again too.
        user: Who starts it.
        values: Further attributes of a new job: ``title``, ``arguments``, ``address``, ``is_public``,
            ``queue``.

    Returns:
        The job.
    """
    defaults = {"kind": kind, "user": user, **values}
    job, is_new = Job.objects.select_for_update().get_or_create(key=key, defaults=defaults)
    if is_new or job.state == State.FAILED or (again and job.state == State.DONE):
        job.attempts, job.error, job.finished = 0, "", None
        enqueue(job)
    return job


def enqueue(job: Job, *, delay: timedelta | None = None) -> None:
    """Put a job into the queue, and save it. Call it in a transaction."""
    run_after = timezone.now() + delay if delay else None
    queued = run_job.using(queue_name=job.queue, run_after=run_after).enqueue(str(job.pk))
    job.task, job.state, job.beat = queued.id, State.WAITING, timezone.now()
    job.done, job.step = 0, ""
    job.save()


def restart_lost() -> int:
    """Start the jobs again whose worker died, and return their number."""
    old = timezone.now() - LOST_AFTER
    queued = DBTaskResult.objects.filter(status=TaskResultStatus.READY).values("id")
    lost = Job.objects.filter(state__in=[State.WAITING, State.RUNNING], beat__lt=old).exclude(task__in=queued)
    return sum(_restart(job) for job in lost)


@transaction.atomic
def _restart(seen: Job) -> bool:
    job = Job.objects.select_for_update().filter(pk=seen.pk, task=seen.task, state=seen.state, beat=seen.beat).first()
    if job is None:  # another worker was faster
        return False
    DBTaskResult.objects.filter(id=job.task).update(status=TaskResultStatus.FAILED, finished_at=timezone.now())
    if job.attempts < MAX_ATTEMPTS:
        enqueue(job)
        return True
    job.state, job.finished = State.FAILED, timezone.now()
    job.error = GIVEN_UP.format(attempts=job.attempts)
    job.save()
    return False
