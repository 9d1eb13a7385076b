"""Jobs that compute maps. What needs a model is imported by workers only."""

import hashlib
import threading
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractUser

from art_pipeline.errors import WebError
from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.models import Artwork, Image, TrainedModel
from art_pipeline.web.jobs.models import Job, Queue
from art_pipeline.web.jobs.queue import start
from art_pipeline.web.jobs.running import Running

if TYPE_CHECKING:
    import numpy as np

    from art_pipeline.explain.maps import Explainer

MAP = "map"  # kind of the jobs
THRESHOLD = 0.5  # of the box, as a share of the map's highest value
PARTS = 3  # rows and columns of the table

_preparing = {False: threading.Lock(), True: threading.Lock()}  # of networks True: others need not wait
_explainers: dict[str, tuple[str, "Explainer"]] = {}


def job_key(image: Image, model: TrainedModel, label: str) -> str:
    """Return the key of the job of a map."""
    name = "\n".join((image.digest, model.name, model.record, label))
    return f"map {hashlib.sha256(name.encode()).hexdigest()}"


def image_key(digest: str) -> str:
    """Return the storage's key of the image of a map."""
    return f"maps/{digest}.jpg"


def start_map(artwork: Artwork, model: TrainedModel, label: str, user: AbstractUser) -> Job:
    """Compute the map of a class in an artwork's image, unless it is there."""
    assert artwork.image
    return start(
        MAP,
        job_key(artwork.image, model, label),
        title=f"Map of {label} by {model.name}"[:191],
        user=user,
        is_public=True,
        queue=Queue.QUICK,
        arguments={"artwork": artwork.key, "model": model.pk, "label": label},
        address=f"{artwork.get_absolute_url()}#maps",
    )


def compute(running: Running) -> dict[str, Any]:
    """Compute a map: its ``image``, ``method``, ``layer``, ``box`` and ``parts``; see `describe`."""
    artwork = Artwork.objects.select_related("image").filter(key=running.arguments["artwork"]).first()
    model = TrainedModel.objects.filter(pk=running.arguments["model"]).first()
    if artwork is None or artwork.image is None or model is None:
        raise WebError("The artwork, its image or the model no longer exists.")
    running.progress(0, 1, f"loading {model.name}")
    explainer = explainer_of(model)
    running.progress(0, 1, f"looking at the image with {model.name}")
    try:
        body = media.read(artwork.image.key)
    except FileNotFoundError as error:
        raise WebError("The file of the image is missing from the storage.") from error
    return describe(explainer, body, running.arguments["label"])


def describe(explainer: "Explainer", body: bytes, label: str) -> dict[str, Any]:
    """Compute the map of a class in an image file, and store its image.

    Returns:
        ``image``, its digest; ``width`` and ``height``; ``method`` and ``layer``; ``box``, shares of width and height
        or none; and ``parts``, rows of the shares of the map in each ninth of the image, in percent.
    """
    import io

    from PIL import Image as PillowImage

    from art_pipeline.explain.boxes import boxes_of
    from art_pipeline.explain.figures import draw_box, overlay
    from art_pipeline.explain.maps import class_index, scale
    from art_pipeline.images.standardize import decode_rgb

    pixels = decode_rgb(body, explainer.model.max_side)
    found = scale(next(explainer.maps([pixels], [class_index(explainer.model, label)])))
    boxes = boxes_of(found, THRESHOLD)[0]
    stream = io.BytesIO()
    PillowImage.fromarray(draw_box(overlay(pixels, found), boxes)).save(stream, "JPEG", quality=88)
    digest = hashlib.sha256(stream.getvalue()).hexdigest()
    media.store(image_key(digest), stream.getvalue())
    return {
        "image": digest,
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "method": explainer.options.method,
        "layer": explainer.layer,
        "box": boxes[0].round(4).tolist() if len(boxes) else None,
        "parts": parts_of(found),
    }


def parts_of(values: "np.ndarray") -> list[list[int]]:
    """Return the shares of a map in each ninth of the image, in percent, by rows; zeros of an empty map."""
    import numpy as np

    rows = [np.array_split(row, PARTS, axis=1) for row in np.array_split(values, PARTS)]
    sums = np.array([[part.sum() for part in row] for row in rows], np.float64)
    shares = sums / sums.sum() if sums.sum() > 0 else sums
    return [[round(100 * one) for one in row] for row in shares.tolist()]


def explainer_of(model: TrainedModel) -> "Explainer":
    """Return what computes maps of a model, prepared on first use; a network is compiled."""
    import numpy as np

    from art_pipeline.explain.maps import explain_single
    from art_pipeline.models.pyfunc import EXAMPLE_SIDE
    from art_pipeline.web.predictors import PREDICTORS, is_network

    with _preparing[is_network(model)]:
        record, explainer = _explainers.get(model.name, ("", None))
        if explainer is None or record != model.record:
            explainer = explain_single(PREDICTORS.of(model).classifier)
            if explainer.network:
                next(explainer.maps([np.zeros((EXAMPLE_SIDE, EXAMPLE_SIDE, 3), np.uint8)], [0]))
            _explainers[model.name] = (model.record, explainer)
        return explainer
