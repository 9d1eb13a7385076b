"""Standardization of source images: RGB JPEG of bounded size, which all later stages read.

A file is validated by decoding it in full, never by its name or media type; see `decoding`.
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
from art_pipeline.images.decoding import ImageError, facts_of, read_image
from art_pipeline.images.metadata import apply_orientation, orientation_of

log = logging.getLogger(__name__)

JPEG_QUALITY = 95
RGB_AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
ANY_SIZE = float("inf")


@dataclass(frozen=True)
class ImageFacts:
    """Result of decoding an image file.

    Attributes:
        status: ``ok``, or the reason why the file cannot be used; see `ImageError`.
        format: Pillow's name of the format, such as ``JPEG``; ``""`` if unknown.
        mode: Pillow's name of the pixel format, such as ``RGB``, ``L``, ``CMYK``, ``I;16``; ``""`` if unknown.
        width: Width in pixels; 0 if unknown.
        height: Height in pixels; 0 if unknown.
    """

    status: str
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0


def inspect_image(body: bytes, *, max_pixels: float) -> ImageFacts:
    """Decode an image file and return its status, format and size.

    `standardize` accepts every file with status ``ok``.

    Args:
        body: Content of the file.
        max_pixels: Maximum of width times height; a larger image is ``too_large`` and not decoded.

    Examples:
        >>> inspect_image(b"<html>", max_pixels=1e8).status
        'not_an_image'
    """
    try:
        return read_image(body, _inspect, max_pixels)
    except ImageError as error:
        return ImageFacts(error.status, *error.facts)


def _inspect(image: Image.Image, _body: bytes) -> ImageFacts:
    facts = facts_of(image)
    image.draft(image.mode, (1, 1))  # reads all of a JPEG, but computes an eighth of each side
    image.load()
    _to_rgb(apply_orientation(image))  # as `standardize` does
    return ImageFacts("ok", *facts)


def standardize(body: bytes, max_side: int, max_pixels: float = ANY_SIZE) -> bytes:
    """Convert an image file to an upright RGB JPEG of bounded size, without metadata.

    Transparent pixels become white; 16-bit values are scaled to 8 bits; grey is repeated in all channels. A file that
    meets all this is returned unchanged, without the loss of a second compression.

    Args:
        body: Content of an image file.
        max_side: Maximum length of the longest side, in pixels; smaller images are not enlarged.
        max_pixels: As in `inspect_image`.

    Returns:
        Content of a JPEG file.

    Raises:
        ImageError: The file cannot be decoded.
    """
    return read_image(body, partial(_standardize, max_side=max_side), max_pixels)


def _standardize(image: Image.Image, body: bytes, max_side: int) -> bytes:
    if _is_standard(image, max_side) and decode_jpeg(body) is not None:
        return body
    image.load()
    bounded = _to_rgb(apply_orientation(image))
    bounded.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return encode_jpeg(bounded)


def decode_upright(body: bytes, max_pixels: float = ANY_SIZE) -> np.ndarray:
    """Decode an image file to (height, width, 3) uint8 RGB in its full size, upright, as `standardize` converts it.

    Raises:
        ImageError: The file cannot be decoded.
    """
    return read_image(body, _upright, max_pixels)


def _upright(image: Image.Image, _body: bytes) -> np.ndarray:
    image.load()
    return np.asarray(_to_rgb(apply_orientation(image)))


def encode_jpeg(image: Image.Image) -> bytes:
    """Encode an RGB image as JPEG without chroma subsampling and metadata."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=b"")
    return buffer.getvalue()


def decode_jpeg(body: bytes) -> np.ndarray | None:
    """Decode a standardized image to (height, width, 3) uint8 RGB; None where it is damaged. It must not be empty."""
    pixels: np.ndarray | None = cv2.imdecode(np.frombuffer(body, np.uint8), RGB_AS_STORED)
    return pixels


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
    """Scale 16-bit values by their range, and floating-point values by their maximum; non-finite values become 0."""
    values = np.nan_to_num(np.asarray(image, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    full = 65535.0 if image.mode.startswith("I") else max(values.max(), 1.0)
    return Image.fromarray(np.round(np.clip(values, 0, full) * (255.0 / full)).astype(np.uint8))


def standardize_all(sources: Iterable[tuple[int, Path]], total: int, max_side: int, folder: Path) -> None:
    """Write ``<object id>.jpg`` for each image file, on all cores.

    A file that cannot be decoded is skipped with a warning.

    Args:
        sources: Object ids and image files with status ``ok``.
        total: Number of sources, for the progress.
        max_side: As in `standardize`.
        folder: An empty folder.

    Raises:
        StorageError: A file is missing, or there is too little memory to decode it.
    """
    write = partial(_standardize_file, folder=folder, max_side=max_side)
    for _ in progress(map_ordered(write, sources, cpu_count()), total=total, what="Images"):
        pass


def _standardize_file(source: tuple[int, Path], folder: Path, max_side: int) -> None:
    object_id, file = source
    try:
        write_atomically(image_path(folder, object_id), standardize(file.read_bytes(), max_side))
    except FileNotFoundError as error:
        raise StorageError(f"{file} is missing. Download it again: kedro run --pipelines download.") from error
    except ImageError as error:
        if error.status == "out_of_memory":
            raise StorageError(f"Too little memory to decode {file}. Lower download.max_megapixels.") from error
        log.warning("%s is skipped, as it cannot be decoded: %s", file, error)


def image_path(folder: Path, object_id: int | str) -> Path:
    """Return the path of an object's standardized image."""
    return folder / f"{object_id}.jpg"


def read_rgb(path: Path) -> np.ndarray:
    """Decode a standardized image to (height, width, 3) uint8 RGB.

    Raises:
        StorageError: The file is missing or damaged.
    """
    pixels = cv2.imread(str(path), RGB_AS_STORED)
    if pixels is None:
        raise unreadable(path)
    return pixels


def unreadable(path: Path) -> StorageError:
    """Return the error for a standardized image that is missing or damaged."""
    return StorageError(f"{path} is missing or not an image. Create the images again: kedro run --pipelines download.")


def decode_rgb(body: bytes, max_side: int, max_pixels: float = ANY_SIZE) -> np.ndarray:
    """Standardize an image file and decode the result, as training does, to (height, width, 3) uint8 RGB.

    Raises:
        ImageError: The file cannot be decoded.
    """
    pixels = decode_jpeg(standardize(body, max_side, max_pixels))
    if pixels is None:
        raise ImageError("undecodable")
    return pixels


def resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a (height, width, 3) uint8 image, by areas or, where a side grows, bilinearly."""
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = pixels.shape[0] >= height and pixels.shape[1] >= width
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
