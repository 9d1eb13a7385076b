"""Start the jobs of this app, and what they do. What needs a model or an extractor is imported by workers only."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.models import AbstractUser

from art_pipeline.errors import ArtPipelineError, WebError
from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.models import Artwork, Image, ImportedRun, TrainedModel
from art_pipeline.web.jobs.models import Job
from art_pipeline.web.jobs.queue import start
from art_pipeline.web.jobs.running import Running

log = logging.getLogger(__name__)

DESCRIBE, EXTRACT = "describe", "extract"
AT_ONCE = 100  # uploads that are described again


def job_keys(artwork: Artwork) -> list[str]:
    """Return the keys of the jobs about an artwork."""
    return [f"{kind} {artwork.key}" for kind in (DESCRIBE, EXTRACT)]


def start_description(artwork: Artwork, user: AbstractUser | None = None) -> Job:
    """Compute the features of an uploaded artwork, and what all current models predict for it."""
    return _start(DESCRIBE, "Features and predictions", artwork, user)


def start_extraction(artwork: Artwork, user: AbstractUser) -> Job:
    """Compute the features of an artwork's image that are missing."""
    return _start(EXTRACT, "Features", artwork, user)


def _start(kind: str, title: str, artwork: Artwork, user: AbstractUser | None) -> Job:
    """Start a job that does what is missing; again if it was done, as a model or a store may be new."""
    return start(
        kind,
        f"{kind} {artwork.key}",
        again=True,
        title=title,
        user=user,
        is_public=True,
        arguments={"artwork": artwork.key},
        address=artwork.get_absolute_url(),
    )


def catch_up() -> int:
    """Describe the uploads again that were described before the last import, which may have brought further models.

    Returns:
        Number of jobs that were started.
    """
    run = ImportedRun.latest()
    if run is None:
        return 0
    finished = Job.objects.filter(kind=DESCRIBE, state__in=Job.FINISHED, finished__lt=run.finished)
    old = {job.arguments["artwork"]: job for job in finished.select_related("user")[:AT_ONCE]}
    artworks = list(Artwork.objects.filter(key__in=old))
    for artwork in artworks:
        start_description(artwork, old[artwork.key].user)
    return len(artworks)


def load_models() -> None:
    """Load the default model of each task, so that the first prediction and map are as fast as the others.

    Networks are loaded in the background, as importing TensorFlow and compiling them takes seconds.
    """
    from art_pipeline.web.catalogue.ranking import models_by_task
    from art_pipeline.web.maps.work import explainer_of
    from art_pipeline.web.predictors import PREDICTORS, is_network

    models = [models[0] for _, models in models_by_task()]
    networks = [model for model in models if is_network(model)]
    _load([model for model in models if model not in networks], PREDICTORS.of)
    threading.Thread(target=_load, args=(networks, explainer_of), daemon=True).start()


def _load(models: Sequence[TrainedModel], load: Callable[[TrainedModel], object]) -> None:
    for model in models:
        try:
            load(model)
        except ArtPipelineError as error:
            log.warning("%s cannot be loaded: %s", model.name, error)


def describe(running: Running) -> dict[str, Any]:
    """Compute the features of an artwork, and what all current models predict for it."""
    return _describe(running, with_predictions=True)


def extract(running: Running) -> dict[str, Any]:
    """Compute the features of an artwork."""
    return _describe(running, with_predictions=False)


def _describe(running: Running, *, with_predictions: bool) -> dict[str, Any]:
    """Do what is missing, a step at a time; a step that fails is reported, and the others go on."""
    from art_pipeline.web.uploads.describing import steps_for

    artwork, image, body = _open(running.arguments["artwork"])
    steps = steps_for(artwork, image, body, with_predictions=with_predictions)
    failed = []
    for number, step in enumerate(steps):
        running.progress(number, len(steps), step.name)
        error = step.do(running)
        failed += [f"{step.name}: {error}"] if error else []
    if failed:
        raise WebError(" ".join(failed))
    return {"steps": len(steps)}


def _open(key: str) -> tuple[Artwork, Image, bytes]:
    artwork = Artwork.objects.select_related("image").filter(key=key).first()
    if artwork is None or artwork.image is None:
        raise WebError("The artwork or its image no longer exists.")
    return artwork, artwork.image, read_image(artwork.image)


def read_image(image: Image) -> bytes:
    """Return the file of an image.

    Raises:
        WebError: It is missing.
    """
    try:
        return media.read(image.key)
    except FileNotFoundError as error:
        raise WebError("The file of the image is missing from the storage.") from error
