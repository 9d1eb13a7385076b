"""The task that workers take from the queue: it runs one job."""

import logging
from datetime import timedelta

from django.conf import settings
from django_tasks import TaskContext, task

from art_pipeline.errors import ArtPipelineError
from art_pipeline.web.away import is_away
from art_pipeline.web.jobs.running import JobLostError, Running

log = logging.getLogger(__name__)

WAIT = timedelta(seconds=5)  # before the second attempt, doubled before each further one
FAULT = "Internal error: {kind}. The log of kedro web start has the details."


@task(takes_context=True)
def run_job(context: TaskContext, job_id: str) -> None:
    """Run a job, and write its result or its error. A job that another task has is left alone."""
    running = Running.claim(job_id, str(context.task_result.id))
    if running is None:
        return
    try:
        with running.alive():
            _run(running)
    except JobLostError:
        log.warning("Job %s was taken over by another worker.", running.job.key)


def _run(running: Running) -> None:
    from art_pipeline.web.jobs.kinds import function_of

    try:
        result = function_of(running.job.kind)(running)
    except JobLostError:
        raise
    except Exception as error:
        _failed(running, error)
    else:
        running.finish(result)


def _failed(running: Running, error: Exception) -> None:
    from art_pipeline.web.jobs.queue import MAX_ATTEMPTS, enqueue

    if is_away(error) and running.job.attempts < MAX_ATTEMPTS:
        log.warning("Job %s is tried again: %s", running.job.key, error)
        with running.saving() as job:
            enqueue(job, delay=WAIT * 2 ** (job.attempts - 1))
        return
    if isinstance(error, ArtPipelineError):
        running.finish({}, str(error).replace(f"{settings.PROJECT}/", ""))
        return
    log.error("Job %s failed.", running.job.key, exc_info=error)
    running.finish({}, FAULT.format(kind=type(error).__name__))
