"""Image files as they come, to images that every later stage can read.

A file is judged by decoding it in full, never by its name or its declared type; see `decoding`.
"""

import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.files import write_atomically
from art_pipeline.common.progress import progress
from art_pipeline.errors import StorageError
from art_pipeline.images.decoding import ImageError, read_image
from art_pipeline.images.metadata import orientation_of, turn_upright

log = logging.getLogger(__name__)

JPEG_QUALITY = 95
RGB_AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
ANY_SIZE = float("inf")


@dataclass(frozen=True)
class ImageFacts:
    """What decoding a file showed.

    Attributes:
        status: ``ok``, or why the file cannot be used; see `ImageError`.
        format: Name of the format as Pillow has it, such as ``JPEG``; ``""`` where unknown.
        mode: Pillow's name of the pixels' kind, such as ``RGB``, ``L``, ``CMYK``, ``I;16``.
        width: In pixels; 0 where unknown.
        height: In pixels; 0 where unknown.
    """

    status: str
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0


def inspect_image(body: bytes, *, max_pixels: float) -> ImageFacts:
    """Decode an image file and say what it is; what is ``ok``, `standardise` can use.

    Args:
        body: The bytes of the file.
        max_pixels: Width times height above which it is ``too_large`` and is not decoded.
    """
    try:
        return read_image(body, _inspect, max_pixels)
    except ImageError as error:
        return ImageFacts(error.status, *error.facts)


def _inspect(image: Image.Image, _body: bytes) -> ImageFacts:
    facts = (image.format, image.mode, image.width, image.height)
    image.draft(image.mode, (1, 1))  # of a JPEG, all is read, and an eighth of each side computed
    image.load()
    _to_rgb(turn_upright(image))  # of other formats, as much as `standardise` does
    return ImageFacts("ok", *facts)


def standardise(body: bytes, max_side: int, max_pixels: float = ANY_SIZE) -> bytes:
    """Convert an image file to the kind that later stages read: RGB, upright, bounded, JPEG.

    Transparent parts become white; 16-bit values are scaled to 8; grey is repeated in all
    channels; metadata is left out. A file that is all that already keeps its bytes, so that it loses nothing.

    Args:
        body: The bytes of an image file.
        max_side: Longest side of the result in pixels; smaller images are not enlarged.
        max_pixels: As in `inspect_image`.

    Returns:
        A JPEG file.

    Raises:
        ImageError: The file cannot be decoded; says why.
    """
    return read_image(body, partial(_standardise, max_side=max_side), max_pixels)


def _standardise(image: Image.Image, body: bytes, max_side: int) -> bytes:
    if _is_standard(image, max_side) and _decode_jpeg(body) is not None:
        return body
    image.load()
    bounded = _to_rgb(turn_upright(image))
    bounded.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return encode_jpeg(bounded)


def encode_jpeg(image: Image.Image) -> bytes:
    """An RGB image as the bytes of a JPEG file, its colours at full resolution, without metadata."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=b"")
    return buffer.getvalue()


def _decode_jpeg(body: bytes) -> np.ndarray | None:
    """As later stages decode it, to (h, w, 3) uint8 RGB; None where they cannot."""
    return cv2.imdecode(np.frombuffer(body, np.uint8), RGB_AS_STORED)


def _is_standard(image: Image.Image, max_side: int) -> bool:
    bounded = image.format == "JPEG" and image.mode == "RGB" and max(image.size) <= max_side
    return bounded and orientation_of(image) == 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_8_bits(image).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _scale_to_8_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit values by their range, and floating ones by their largest; what is not finite becomes 0."""
    values = np.nan_to_num(np.asarray(image, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    full = 65535.0 if image.mode.startswith("I") else max(values.max(), 1.0)
    return Image.fromarray(np.round(np.clip(values, 0, full) * (255.0 / full)).astype(np.uint8))


def standardise_all(sources: Iterable[tuple[int, Path]], total: int, max_side: int, folder: Path) -> None:
    """Write ``<object id>.jpg`` into ``folder`` for each image file, on all cores.

    One that cannot be decoded is left out, with a warning.

    Args:
        sources: Object ids and files that were found ``ok``.
        total: How many there are, for the progress.
        max_side: As in `standardise`.
        folder: An empty folder.

    Raises:
        StorageError: A file is not there any more, or memory does not suffice for one.
    """
    write = partial(_standardise_file, folder=folder, max_side=max_side)
    for _ in progress(map_ordered(write, sources, cpu_count()), total=total, what="Images"):
        pass


def _standardise_file(source: tuple[int, Path], folder: Path, max_side: int) -> None:
    object_id, file = source
    try:
        write_atomically(image_path(folder, object_id), standardise(file.read_bytes(), max_side))
    except FileNotFoundError as error:
        raise StorageError(f"{file} is gone. Download it again: kedro run --pipelines download.") from error
    except ImageError as error:
        if error.status == "out_of_memory":
            raise StorageError(f"Memory does not suffice to decode {file}. Lower download.max_megapixels.") from error
        log.warning("%s cannot be decoded: %s. It is left out.", file, error)


def image_path(folder: Path, object_id: int) -> Path:
    """Where `standardise_all` keeps the image of an object."""
    return folder / f"{object_id}.jpg"


def read_rgb(path: Path) -> np.ndarray:
    """Decode an image that `standardise_all` wrote, to (height, width, 3) uint8, RGB.

    Raises:
        StorageError: The file is not there, or no image.
    """
    pixels = cv2.imread(str(path), RGB_AS_STORED)
    if pixels is None:
        raise damaged(path)
    return pixels


def damaged(path: Path) -> StorageError:
    """The error that an image of ours cannot be read."""
    return StorageError(f"No image can be read from {path}. Make the images again: kedro run --pipelines download.")


def decode_rgb(body: bytes, max_side: int, max_pixels: float = ANY_SIZE) -> np.ndarray:
    """Prepare an image file exactly as a downloaded one is, to (h, w, 3) uint8 RGB.

    Raises:
        ImageError: The file cannot be decoded; says why.
    """
    return _decode_jpeg(standardise(body, max_side, max_pixels))


def stretch(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize an image to (size, size, 3) uint8 whatever its shape, as networks take it."""
    if pixels.shape[:2] == (size, size):
        return pixels
    shrinks = min(pixels.shape[:2]) >= size
    return cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
