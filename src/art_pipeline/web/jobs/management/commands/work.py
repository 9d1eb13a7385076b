"""The worker of background jobs."""

import logging
import threading
import time
from contextlib import closing
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.utils import Error

from art_pipeline.common.concurrency import one_thread_each
from art_pipeline.web.away import level_of
from art_pipeline.web.jobs.kinds import prepare, sweep
from art_pipeline.web.jobs.models import Queue

log = logging.getLogger(__name__)

INTERVAL, QUICK_INTERVAL = 0.5, 0.1  # seconds between two looks into a queue
SWEEP = 10.0  # seconds between two searches for jobs that are needed
AGAIN = 5.0  # seconds until the database is tried again


class Command(BaseCommand):
    """``django work``: run background jobs until it is stopped. Any number of workers share the jobs."""

    help = "Run background jobs, and start those again whose worker died."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", default="*", choices=["*", *Queue.values], help="Queue to serve; * for all.")
        parser.add_argument("--batch", action="store_true", help="Stop when no job is left.")

    def handle(self, *_: Any, queue: str, batch: bool, **__: Any) -> None:
        threading.Thread(target=_sweep, daemon=True).start()
        with one_thread_each():  # as kedro predict does: workers share the cores
            while not _work(queue, batch):
                connection.close()
                time.sleep(AGAIN)


def _work(queue: str, batch: bool) -> bool:
    """Run jobs; return whether the worker was stopped, and not because the database cannot be reached."""
    interval = QUICK_INTERVAL if queue == str(Queue.QUICK) else INTERVAL
    try:
        call_command("prune_db_task_results", verbosity=0)
        if queue == str(Queue.QUICK):
            prepare()
        options = {"queue_name": queue, "interval": interval, "batch": batch, "startup_delay": False, "reload": False}
        call_command("db_worker", verbosity=0, **options)
    except Error as error:  # also InterfaceError, which is not a DatabaseError
        log.warning("The database cannot be reached; next attempt in %.0f s: %s", AGAIN, error)
        return False
    return True


def _sweep() -> None:
    while True:
        try:
            with closing(connection):
                sweep()
        except Exception as error:  # of any library; the next search may come through
            log.log(level_of(error), "The search for jobs that are needed failed.", exc_info=True)
        time.sleep(SWEEP)
