"""Where images are stored: local files, or a bucket of an S3 server."""

import io
import math
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, default_storage
from PIL import Image as PillowImage

THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 288, 70  # a page of them shall be light


class LocalFiles(FileSystemStorage):
    """Local files that are complete or absent. A file of the same name is replaced."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002
        return name

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{token_hex(4)}")
        temporary.write_bytes(content.read())
        temporary.replace(path)
        return name


def storage() -> Storage:
    """Return the storage that ``MEDIA_URL`` names. Credentials of a bucket are those of boto3, as DVC's are."""
    if settings.MEDIA_BUCKET is None:
        return LocalFiles(location=settings.MEDIA_ROOT)
    from storages.backends.s3 import S3Storage

    bucket = settings.MEDIA_BUCKET
    return S3Storage(bucket_name=bucket.name, location=bucket.prefix, file_overwrite=True, querystring_auth=False)


def store(key: str, body: bytes) -> None:
    """Store a file under a key that names its content."""
    default_storage.save(key, ContentFile(body))


def remove(key: str) -> None:
    """Remove a file, if it is there."""
    default_storage.delete(key)


def read(key: str) -> bytes:
    """Return the content of a stored file.

    Raises:
        FileNotFoundError: There is none.
    """
    with default_storage.open(key) as stream:
        return bytes(stream.read())


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """Return width and height of the thumbnail of an image: Pillow's, with the ratio that is nearest.

    >>> thumbnail_size(600, 800), thumbnail_size(100, 50)
    ((216, 288), (100, 50))
    """
    side, ratio = THUMBNAIL_SIDE, width / height
    if width <= side and height <= side:
        return width, height
    if ratio <= 1:
        return _nearest(side * ratio, lambda one: abs(ratio - one / side)), side
    return side, _nearest(side / ratio, lambda one: abs(ratio - side / one) if one else 0)


def _nearest(number: float, error: Callable[[int], float]) -> int:
    return max(min(math.floor(number), math.ceil(number), key=error), 1)


def thumbnail(body: bytes) -> bytes:
    """Return a JPEG of at most `THUMBNAIL_SIDE` pixels of a JPEG."""
    image = PillowImage.open(io.BytesIO(body))
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=THUMBNAIL_QUALITY, optimize=True)
    return out.getvalue()
