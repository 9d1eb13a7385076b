"""A worker in the process of the tests."""

from datetime import timedelta

from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from art_pipeline.web.jobs.models import Job


def run_jobs(at_most: int | None = None) -> None:
    """Run the jobs that wait."""
    Worker(
        queue_names=["*"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=at_most,
        worker_id="test",
        excluded_queue_names=[],
    ).run()


def run_delayed() -> None:
    """Run the jobs that wait, also those that are to be tried again later."""
    while DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now()):
        run_jobs()


def age(job: Job) -> None:
    """Let a job be without a sign of life for an hour."""
    Job.objects.filter(pk=job.pk).update(beat=timezone.now() - timedelta(hours=1))
