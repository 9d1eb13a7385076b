"""Functions of jobs, for tests."""

from django.db.utils import OperationalError

from art_pipeline.errors import ModelError
from art_pipeline.web.jobs.models import Job
from art_pipeline.web.jobs.running import Running


def double(running: Running) -> dict[str, int]:
    running.progress(1, 2, "doubling")
    return {"number": 2 * running.arguments["number"]}


def fail(running: Running) -> dict[str, int]:
    raise ModelError("The model is damaged. Train it again.")


def crash(running: Running) -> dict[str, int]:
    raise KeyError("secret detail")


def away(running: Running) -> dict[str, int]:
    raise OperationalError("The server has gone away")


def away_once(running: Running) -> dict[str, int]:
    return away(running) if running.job.attempts == 1 else double(running)


def lose(running: Running) -> dict[str, int]:
    """Be without a sign of life, while another worker takes over."""
    from tests.web.jobs.worker import age, run_jobs

    from art_pipeline.web.jobs.queue import restart_lost

    if Job.objects.get(pk=running.job.pk).attempts > 1:
        return {"number": 7}
    age(running.job)
    restart_lost()
    run_jobs()
    return {"number": 0}
