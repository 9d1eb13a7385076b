"""Check uploaded files, and encode them again.

A file is checked by decoding it, never by its name or the media type that a browser states. What is stored is a new
JPEG of its pixels: markup, archives, scripts and metadata in the file are gone.
"""

from dataclasses import dataclass

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Max
from PIL import Image as PillowImage

from art_pipeline.images.decoding import Facts, ImageError, facts_of, read_image
from art_pipeline.images.standardize import encode_jpeg, standardize
from art_pipeline.web.catalogue.images import CHANNELS, create_image
from art_pipeline.web.catalogue.models import Image, ImportedRun

FORMATS = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "PNG", "WEBP": "WebP", "GIF": "GIF", "TIFF": "TIFF", "AVIF": "AVIF"}
NAMES = ", ".join(dict.fromkeys(FORMATS.values()))
MAX_PIXELS = 5e7
MIN_SIDE = 16
SIDE = 1024  # where nothing is imported
SECONDS = 3600
MESSAGES = {
    "empty": "The file is empty. Choose an image.",
    "not_an_image": f"The file is not an image. Choose one of these formats: {NAMES}.",
    "unsupported": f"Images of this format are not accepted. Choose one of these formats: {NAMES}.",
    "truncated": "The end of the file is missing. Save the image again, and upload it.",
    "undecodable": "The image is damaged. Save it again, and upload it.",
    "too_large": f"The image has more than {MAX_PIXELS / 1e6:.0f} megapixels. Make it smaller.",
    "too_small": f"The image is narrower or lower than {MIN_SIDE} pixels. Choose a larger one.",
    "out_of_memory": "The image needs more memory than the server has. Make it smaller.",
}


@dataclass(frozen=True)
class CheckedImage:
    """An image that can be stored.

    Attributes:
        body: A JPEG without metadata.
        mode: Pillow's name of the pixel format of the uploaded file.
        width: Width of the uploaded image, in pixels.
        height: Height of the uploaded image, in pixels.
    """

    body: bytes
    mode: str
    width: int
    height: int

    def store(self) -> Image:
        """Write the image and its thumbnail to the storage, and return its row, which may not be saved yet."""
        facts = {"mode": self.mode, "channels": CHANNELS.get(self.mode, 3)}
        return create_image(self.body, source_width=self.width, source_height=self.height, **facts)


def check_image(body: bytes) -> CheckedImage:
    """Check an uploaded file, and encode its pixels again.

    Raises:
        ValidationError: It is not an image of an allowed format and size.
    """
    try:
        kind, mode, width, height = read_image(body, _allowed_facts, MAX_PIXELS)
        side = longest_side()
        standard = standardize(body, side, MAX_PIXELS)
        may_be_as_sent = FORMATS[kind] == "JPEG" and max(width, height) <= side
        return CheckedImage(encode_again(standard) if may_be_as_sent else standard, mode, width, height)
    except ImageError as error:
        raise ValidationError(MESSAGES[error.status], code=error.status) from error


def encode_again(body: bytes) -> bytes:
    """Return a new JPEG of the pixels of a JPEG, so that nothing else of the file is kept.

    Raises:
        ImageError: It is damaged. OpenCV, which checks standard images, decodes some files that Pillow does not.
    """
    return read_image(body, lambda image, _: encode_jpeg(image), MAX_PIXELS)


def longest_side() -> int:
    """Return the longest side of the imported images, in pixels: uploaded ones are stored like them."""
    run = ImportedRun.latest()
    key = f"longest-side-{run.pk if run else None}"
    found = cache.get(key)
    if found is None:
        sides = Image.objects.aggregate(width=Max("width"), height=Max("height"))
        found = max(sides["width"] or 0, sides["height"] or 0) if run else SIDE
        cache.set(key, found, SECONDS)
    return int(found)


def _allowed_facts(image: PillowImage.Image, _body: bytes) -> Facts:
    """Return the facts of an opened image, before its pixels are decoded."""
    facts = facts_of(image)
    if image.format not in FORMATS:
        raise ImageError("unsupported", facts)
    if min(image.size) < MIN_SIDE:
        raise ImageError("too_small", facts)
    return facts
