"""A job while a worker runs it."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Self

from django.db import connection, models, transaction
from django.utils import timezone

from art_pipeline.web.away import level_of
from art_pipeline.web.jobs.models import Job, State

log = logging.getLogger(__name__)

BEAT = 5.0  # seconds between two signs of life


class JobLostError(Exception):
    """Another worker has taken over: this one was without a sign of life for too long."""


@dataclass(frozen=True)
class Running:
    """A job that this worker runs.

    Attributes:
        job: Its row, as it was when it was claimed.
        task: Id of the queued task.
    """

    job: Job
    task: uuid.UUID

    @classmethod
    def claim(cls, job_id: str, task: str) -> Self | None:
        """Claim a job for a task; None where it is finished, or another task has it."""
        waiting = Job.objects.filter(pk=job_id, task=task, state=State.WAITING)
        values = {"state": State.RUNNING, "beat": timezone.now(), "attempts": models.F("attempts") + 1}
        return cls(Job.objects.get(pk=job_id), uuid.UUID(task)) if waiting.update(**values) else None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the job was started with."""
        return self.job.arguments

    def progress(self, done: int, total: int, step: str) -> None:
        """Show progress: ``done`` of ``total`` steps are finished, and ``step`` is being computed."""
        self._own().update(done=done, total=total, step=step, beat=timezone.now())

    @contextmanager
    def saving(self) -> Iterator[Job]:
        """A transaction for results, which only the worker that has the job can make.

        Raises:
            JobLostError: Another worker has taken over.
        """
        with transaction.atomic():
            job = self._own().select_for_update().first()
            if job is None:
                raise JobLostError
            yield job

    def finish(self, result: dict[str, Any], error: str = "") -> None:
        """Write the result, once; with an error, the job has failed."""
        with self.saving() as job:
            job.state = State.FAILED if error else State.DONE
            job.result, job.error, job.finished = result, error, timezone.now()
            job.done, job.step = job.total, ""
            job.save()

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Give signs of life, from a thread."""
        stop = threading.Event()
        thread = threading.Thread(target=self._beat, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _beat(self, stop: threading.Event) -> None:
        while not stop.wait(BEAT):
            try:
                with closing(connection):
                    self._own().update(beat=timezone.now())
            except Exception as error:  # of any library; the next one may come through
                log.log(level_of(error), "A sign of life of job %s failed.", self.job.key, exc_info=True)

    def _own(self) -> "models.QuerySet[Job]":
        return Job.objects.filter(pk=self.job.pk, task=self.task, state=State.RUNNING)
