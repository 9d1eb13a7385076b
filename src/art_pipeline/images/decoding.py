"""Decoding of image files whose content is not trusted.

Every exception of a decoder becomes a status. Pillow's global settings stay unchanged: like `PIL.Image.open`, this
module tries Pillow's readers in turn, but with a limit of pixels per call.
"""

import io
import re
from collections.abc import Callable
from typing import TypeVar

from PIL import Image

from art_pipeline.errors import ArtPipelineError
from art_pipeline.images.metadata import strip_metadata

T = TypeVar("T")
Facts = tuple[str, str, int, int]  # format, mode, width, height

# Formats that need an external program (EPS: Ghostscript) or a plugin, or are decompressed without a limit (FITS).
UNSUPPORTED = frozenset({"BUFR", "EPS", "FITS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"})
# Their readers decode an embedded PNG when opened, whatever size the header states.
ICONS = frozenset({"CUR", "ICNS", "ICO"})
PNG_SIZE = re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR(.{4})(.{4})", re.DOTALL)
JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1")  # from the fifth byte on
CUT_OFF = ("truncated", "not enough", "end of")


class ImageError(ArtPipelineError):
    """A file that cannot be used as an image.

    Attributes:
        status: ``empty``; ``not_an_image``, an unknown format; ``unsupported``, a format that is not read;
            ``truncated``, the end is missing; ``undecodable``, damaged; ``too_large``; ``out_of_memory``.
        facts: Format, mode, width and height; empty if unknown.
    """

    def __init__(self, status: str, facts: Facts | tuple[()] = ()):
        super().__init__(status.replace("_", " "))
        self.status, self.facts = status, facts


def read_image(body: bytes, use: Callable[[Image.Image, bytes], T], max_pixels: float) -> T:
    """Open an image file and pass the image to ``use``; if that fails, retry without the file's metadata.

    Args:
        body: Content of the file.
        use: Called with the opened image, which is not loaded yet, and the content that it was opened from.
        max_pixels: Maximum of width times height; a larger image is ``too_large`` and not decoded.

    Returns:
        The result of ``use``.

    Raises:
        ImageError: The file cannot be opened, or ``use`` raised an exception.
    """
    if not body:
        raise ImageError("empty")
    try:
        return _read(body, use, max_pixels)
    except ImageError as error:
        plain = strip_metadata(body) if error.status in ("undecodable", "truncated") else body
        if plain == body:
            raise
        try:
            return _read(plain, use, max_pixels)
        except ImageError:
            raise error from None


def _read(body: bytes, use: Callable[[Image.Image, bytes], T], max_pixels: float) -> T:
    facts: Facts | tuple[()] = ()
    try:
        with _open(body, max_pixels) as image:
            facts = facts_of(image)
            if image.width * image.height > max_pixels:
                raise ImageError("too_large", facts)
            return use(image, body)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(_status_of(error, body), facts) from error


def facts_of(image: Image.Image) -> Facts:
    """Return format, mode, width and height."""
    return image.format or "", image.mode, image.width, image.height


def _open(body: bytes, max_pixels: float) -> Image.Image:
    """Open an image with the first reader that accepts it."""
    Image.init()
    failure: Exception | None = None
    for name in Image.ID:
        factory, accept = Image.OPEN[name]
        known = _accepts(accept, body[:16])
        if name in UNSUPPORTED:
            if known:
                raise ImageError("unsupported")
        elif known or accept is None:
            if name in ICONS and _pixels_of_pngs(body) > max_pixels:
                raise ImageError("too_large")
            try:
                return factory(io.BytesIO(body), "")
            except Exception as error:  # readers raise exceptions of any type
                failure = failure or (error if known else None)
    raise failure or ImageError("unsupported" if _is_other_format(body) else "not_an_image")


def _accepts(accept: Callable[[bytes], bool | str] | None, prefix: bytes) -> bool:
    """Whether a reader recognizes the first bytes of a file."""
    try:
        return accept is not None and accept(prefix) is True
    except (IndexError, ValueError):  # the file is too short
        return False


def _pixels_of_pngs(body: bytes) -> int:
    """Return the largest number of pixels that the header of an embedded PNG states."""
    sizes = PNG_SIZE.findall(body)
    return max((int.from_bytes(width) * int.from_bytes(height) for width, height in sizes), default=0)


def _is_other_format(body: bytes) -> bool:
    """Whether the file is an image of a format that Pillow does not read."""
    begin = body[:1000].lstrip()
    svg = begin.startswith((b"<svg", b"<?xml")) and b"<svg" in begin and b"<html" not in begin
    return svg or body.startswith(JPEG_XL) or body[4:12] in HEIC


def _status_of(error: Exception, body: bytes) -> str:
    message = str(error).casefold()
    if isinstance(error, MemoryError) or "out of memory" in message:
        return "out_of_memory"
    if isinstance(error, Image.DecompressionBombError):
        return "too_large"
    short = body[:4] == b"RIFF" and len(body) < 8 + int.from_bytes(body[4:8], "little")
    cut_off = short or isinstance(error, EOFError) or any(words in message for words in CUT_OFF)
    return "truncated" if cut_off else "undecodable"
