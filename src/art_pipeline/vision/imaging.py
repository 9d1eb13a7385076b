"""Pictures as they come, to pictures that every later stage can read.

A body is judged by decoding it in full, never by its name or its declared type.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from art_pipeline.concurrency import cpu_count, map_ordered
from art_pipeline.progress import progress
from art_pipeline.storage import write_atomically

# Pillow's own guard only warns up to a point, and cannot be raised beyond it; `inspect_picture` reads the size
# from the header and refuses before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

JPEG_QUALITY = 95
EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Picture:
    """What decoding a body showed.

    Attributes:
        status: ``ok``, ``empty``, ``not_an_image``, ``truncated`` or ``too_large``.
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


def inspect_picture(body: bytes, *, max_pixels: float) -> Picture:
    """Decode a body and say what it is.

    Args:
        body: The bytes as they came.
        max_pixels: Size above which it is ``too_large`` and left undecoded.
    """
    if not body:
        return Picture("empty")
    try:
        with Image.open(io.BytesIO(body)) as image:
            return _decode(image, max_pixels)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):  # all of which Pillow raises on opening
        return Picture("not_an_image")


def _decode(image: Image.Image, max_pixels: float) -> Picture:
    facts = (image.format, image.mode, image.width, image.height)
    if image.width * image.height > max_pixels:
        return Picture("too_large", *facts)
    try:
        image.draft(image.mode, (1, 1))  # of a JPEG, all is read, and an eighth of each side computed
        image.load()
    except (OSError, ValueError, SyntaxError, IndexError):  # all of which its decoders raise on a cut-off body
        return Picture("truncated", *facts)
    return Picture("ok", *facts)


def standardise(body: bytes, max_side: int) -> bytes:
    """Turn a picture into the kind that later stages read: RGB, upright, bounded, JPEG.

    Transparent parts become white; 16-bit values are scaled to 8; grey is repeated in all
    channels. A picture that is all that already keeps its bytes, so that it loses nothing.

    Args:
        body: A picture that `inspect_picture` found ``ok``.
        max_side: Longest side of the result in pixels; smaller pictures are not enlarged.

    Returns:
        A JPEG file.
    """
    with Image.open(io.BytesIO(body)) as image:
        if _is_standard(image, max_side):
            return body
        upright = ImageOps.exif_transpose(image)
        bounded = _to_rgb(upright)
        bounded.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        return encode_jpeg(bounded)


def encode_jpeg(image: Image.Image) -> bytes:
    """An RGB image as the bytes of a JPEG file, its colours at full resolution."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _is_standard(image: Image.Image, max_side: int) -> bool:
    upright = image.getexif().get(EXIF_ORIENTATION, 1) == 1
    return image.format == "JPEG" and image.mode == "RGB" and max(image.size) <= max_side and upright


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_8_bits(image).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _scale_to_8_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit values by their range, and floating ones by their largest."""
    values = np.asarray(image, np.float64)
    full = 65535.0 if image.mode.startswith("I") else max(values.max(), 1.0)
    return Image.fromarray(np.clip(np.round(values * (255.0 / full)), 0, 255).astype(np.uint8))


def standardise_all(sources: Iterable[tuple[int, Path]], total: int, max_side: int, folder: Path) -> None:
    """Write ``<object id>.jpg`` into ``folder`` for each picture, on all cores.

    Args:
        sources: Object ids and files that were found ``ok``.
        total: How many there are, for the progress.
        max_side: As in `standardise`.
        folder: An empty folder.
    """
    write = partial(_standardise_file, folder=folder, max_side=max_side)
    for _ in progress(map_ordered(write, sources, cpu_count()), total=total, what="Images"):
        pass


def _standardise_file(source: tuple[int, Path], folder: Path, max_side: int) -> None:
    object_id, file = source
    write_atomically(image_path(folder, object_id), standardise(file.read_bytes(), max_side))


def image_path(folder: Path, object_id: int) -> Path:
    """Where `standardise_all` keeps the image of an object."""
    return folder / f"{object_id}.jpg"


def read_rgb(path: Path) -> np.ndarray:
    """Decode an image file to (height, width, 3) uint8, RGB.

    Raises:
        FileNotFoundError: The file is not there, or no image.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise FileNotFoundError(f"No image can be read from {path}.")
    return pixels


def decode_rgb(body: bytes, max_side: int) -> np.ndarray:
    """Take a picture's bytes the whole way that a downloaded one goes, to (h, w, 3) uint8 RGB."""
    standard = np.frombuffer(standardise(body, max_side), np.uint8)
    return cv2.imdecode(standard, cv2.IMREAD_COLOR_RGB)


def stretch(pixels: np.ndarray, size: int) -> np.ndarray:
    """Bring a picture to (size, size, 3) uint8 whatever its shape, as networks take it."""
    if pixels.shape[:2] == (size, size):
        return pixels
    shrinks = min(pixels.shape[:2]) >= size
    return cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
