"""The kinds of jobs. A new one is a function and a line here; only workers import the function."""

from collections.abc import Callable
from typing import Any

from django.utils.module_loading import import_string

from art_pipeline.web.jobs.running import Running

KINDS = {
    "predict": "art_pipeline.web.uploads.predicting.predict",
    "describe": "art_pipeline.web.uploads.work.describe",
    "extract": "art_pipeline.web.uploads.work.extract",
    "map": "art_pipeline.web.maps.work.compute",
    "verify": "art_pipeline.web.uploads.verification.verify",
}

# Called when a worker of quick jobs starts.
PREPARE = "art_pipeline.web.uploads.work.load_models"
# Called every few seconds: they start jobs that are needed.
SWEEPS = ("art_pipeline.web.jobs.queue.restart_lost", "art_pipeline.web.uploads.work.catch_up")


def function_of(kind: str) -> Callable[[Running], dict[str, Any]]:
    """Return the function of a kind of job: it takes the running job, and returns the result as JSON values."""
    return import_string(KINDS[kind])


def prepare() -> None:
    """Prepare this worker for quick jobs."""
    import_string(PREPARE)()


def sweep() -> None:
    """Start jobs that are needed."""
    for name in SWEEPS:
        import_string(name)()
