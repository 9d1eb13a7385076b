"""What ``kedro web`` does: prepare the database, import, and run server and workers."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import django
from django.core.management import call_command

from art_pipeline.errors import WebError
from art_pipeline.web.environment import COLLATION
from art_pipeline.web.supervisor import Child, supervise

SETTINGS = "art_pipeline.web.settings"
THREADS = 4  # of each process of the server
KEEP_ALIVE = 30  # seconds that an idle connection stays open: longer than most clients reuse one
STOP_SECONDS = 20  # until a request that runs is given up


def prepare(project: Path) -> None:
    """Configure Django for a project, create or update the tables, and check the storage of images.

    Raises:
        WebError: The database or the storage of images cannot be used.
    """
    os.environ["ART_PIPELINE_PROJECT"] = str(project)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    django.setup()
    from django.conf import settings
    from django.db.utils import DatabaseError, InterfaceError, NotSupportedError

    settings.STATE.mkdir(parents=True, exist_ok=True)
    try:
        _check_collation()
        call_command("migrate", verbosity=0, interactive=False)
    except (DatabaseError, InterfaceError, NotSupportedError) as error:
        raise WebError(f"The database cannot be used: {error}. Check DATABASE_URL.") from error
    _check_media()


def collect_static() -> None:
    """Write the static files, compressed and named by digest, to where the server reads them."""
    call_command("collectstatic", verbosity=0, interactive=False)


def serve(host: str, port: int, workers: int, jobs: int, started: Callable[[], None]) -> None:
    """Run the server and the workers for background jobs until Ctrl-C; what dies is started again.

    Args:
        host: Address to listen on.
        port: Port.
        workers: Number of processes of the server.
        jobs: Number of workers for background jobs.
        started: Called when the server answers.

    """
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    server = [sys.executable, "-m", "gunicorn", "art_pipeline.web.wsgi:application", "--bind", address]
    server += ["--workers", str(workers), "--threads", str(THREADS), "--graceful-timeout", str(STOP_SECONDS)]
    server += ["--keep-alive", str(KEEP_ALIVE)]
    server += ["--log-level", "warning", "--no-control-socket"]
    children = [Child("server", server), Child("quick worker", worker_command("quick"))]
    children += [Child("worker", worker_command("default")) for _ in range(jobs)]
    supervise(children, lambda: _answers(host, port), started)


def worker_command(queue: str = "*") -> list[str]:
    """Return the command of a worker for the background jobs of a queue: ``quick``, ``default``, or ``*`` for all."""
    return [sys.executable, "-m", "django", "work", "--queue", queue, "--settings", SETTINGS]


def _check_collation() -> None:
    """Check that the database keeps names apart that differ by case or accents."""
    from django.db import connection

    if connection.vendor != "mysql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@collation_database, DATABASE()")
        collation, name = cursor.fetchone()
    if collation != COLLATION:
        raise WebError(
            f"The database {name} has the collation {collation}, in which names that differ by case or accents are "
            f"the same. Run: ALTER DATABASE {name} CHARACTER SET utf8mb4 COLLATE {COLLATION}"
        )


def _check_media() -> None:
    """Check that the bucket of ``MEDIA_URL`` can be reached."""
    from django.conf import settings
    from django.core.files.storage import default_storage

    if settings.MEDIA_BUCKET is None:
        return
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        default_storage.exists("ready")
    except (BotoCoreError, ClientError, OSError) as error:
        raise WebError(
            f"The bucket {settings.MEDIA_BUCKET.name} of MEDIA_URL cannot be used: {error}. Check MEDIA_URL, "
            "AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from error


def check_port(host: str, port: int) -> None:
    """Check that the host is known, and no other server listens on the port.

    Raises:
        WebError: There is no such host, or the port is taken.
    """
    try:
        taken = _answers(host, port)
    except OSError as error:
        raise WebError(f"The host {host!r} cannot be used: {error}. Give another --host.") from error
    if taken:
        raise WebError(f"Port {port} is taken. Choose another: kedro web start --port {port + 1}.")


def _answers(host: str, port: int) -> bool:
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    with socket.socket(socket.AF_INET6 if ":" in reached else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((reached, port)) == 0
