"""Write images and their thumbnails into the media storage, and their rows into the database."""

import hashlib
import io
from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.db.utils import IntegrityError
from PIL import Image as PillowImage

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.web.catalogue import media
from art_pipeline.web.catalogue.models import Image
from art_pipeline.web.catalogue.run_folder import RunFolder

WORKERS = max(cpu_count(), 8)  # a store of images may be a server
CHANNELS = {"1": 1, "L": 1, "I;16": 1, "I": 1, "F": 1, "LA": 2, "RGBA": 4, "CMYK": 4}


def store_images(run: RunFolder, rows: Sequence[dict[Hashable, Any]]) -> dict[int, int]:
    """Store the images of objects.

    Args:
        run: The run.
        rows: Rows of the table of objects whose images can be used.

    Returns:
        The row of the image of each object id.
    """
    digests = list(map_ordered(partial(_digest, run), [row["object_id"] for row in rows], cpu_count()))
    by_digest = dict(zip(digests, rows, strict=True))
    known = set(Image.objects.filter(digest__in=by_digest).values_list("digest", flat=True))
    new = [(digest, row) for digest, row in by_digest.items() if digest not in known]
    Image.objects.bulk_create(map_ordered(partial(_store, run), new, WORKERS), ignore_conflicts=True)
    ids = dict(Image.objects.filter(digest__in=by_digest).values_list("digest", "id"))
    return {row["object_id"]: ids[digest] for digest, row in zip(digests, rows, strict=True)}


def create_image(body: bytes, **facts: Any) -> Image:
    """Store a standardized JPEG with its thumbnail, and return its row, unsaved."""
    image = Image(digest=hashlib.sha256(body).hexdigest(), bytes=len(body), **facts)
    image.width, image.height = PillowImage.open(io.BytesIO(body)).size
    media.store(image.key, body)
    media.store(image.thumbnail_key, media.thumbnail(body))
    return image


def delete_unused(image: Image) -> bool:
    """Delete an image and its files unless an artwork or a requested prediction shows it; return whether it is gone."""
    try:
        with transaction.atomic():
            Image.objects.filter(pk=image.pk, artworks=None).delete()
    except (ProtectedError, IntegrityError):
        return False  # a requested prediction shows it
    if Image.objects.filter(digest=image.digest).exists():
        return False
    for key in (image.key, image.thumbnail_key):
        media.remove(key)
    return True


def _digest(run: RunFolder, object_id: int) -> str:
    return hashlib.sha256(run.image_file(object_id).read_bytes()).hexdigest()


def _store(run: RunFolder, item: tuple[str, dict[Hashable, Any]]) -> Image:
    _, row = item
    mode = row["image_mode"]
    return create_image(
        run.image_file(row["object_id"]).read_bytes(),
        mode=mode,
        channels=CHANNELS.get(mode, 3),
        source_width=row["image_width"],
        source_height=row["image_height"],
    )
