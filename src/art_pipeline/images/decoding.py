"""Files that should be images, to decoded images or to the reason why not.

Whatever a decoder raises becomes a status. Nothing of Pillow's own settings is changed, which other code of
the process may rely on: files are opened by Pillow's readers one by one, as `PIL.Image.open` does, but with a
limit of pixels of our own.
"""

import io
import re
from collections.abc import Callable
from typing import TypeVar

from PIL import Image

from art_pipeline.errors import ArtPipelineError
from art_pipeline.images.metadata import without_metadata

T = TypeVar("T")

# Read by an external program, or by nothing at all (EPS: Ghostscript), or unpacked without a bound (FITS).
UNSUPPORTED = frozenset({"BUFR", "EPS", "FITS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"})
# Their readers decode a PNG in them as soon as they are opened, whatever size they say themselves.
ICONS = frozenset({"CUR", "ICNS", "ICO"})
PNG_SIZE = re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR(.{4})(.{4})", re.DOTALL)
JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1")  # from the fifth byte on
CUT_OFF = ("truncated", "not enough", "end of")


class ImageError(ArtPipelineError):
    """A file that cannot be used as an image.

    Attributes:
        status: ``empty``; ``not_an_image``, of no known format; ``unsupported``, of a format that is not read;
            ``truncated``, the end is missing; ``undecodable``, damaged; ``too_large``; ``out_of_memory``.
        facts: Format, mode, width and height, as far as they are known.
    """

    def __init__(self, status: str, facts: tuple = ()):
        super().__init__(status.replace("_", " "))
        self.status, self.facts = status, facts


def read_image(body: bytes, use: Callable[[Image.Image, bytes], T], max_pixels: float) -> T:
    """Open an image file and hand the image to ``use``; where its metadata is in the way, without that.

    Args:
        body: The bytes of the file.
        use: Decodes the image, which is opened and not loaded yet; gets the bytes that it was opened from, too.
        max_pixels: Width times height above which the image is ``too_large`` and is not decoded.

    Returns:
        What ``use`` returned.

    Raises:
        ImageError: The file cannot be opened, or ``use`` raised any other exception.
    """
    if not body:
        raise ImageError("empty")
    try:
        return _read(body, use, max_pixels)
    except ImageError as error:
        plain = without_metadata(body) if error.status in ("undecodable", "truncated") else body
        if plain == body:
            raise
        try:
            return _read(plain, use, max_pixels)
        except ImageError:
            raise error from None


def _read(body: bytes, use: Callable[[Image.Image, bytes], T], max_pixels: float) -> T:
    facts = ()
    try:
        with _open(body, max_pixels) as image:
            facts = (image.format, image.mode, image.width, image.height)
            if image.width * image.height > max_pixels:
                raise ImageError("too_large", facts)
            return use(image, body)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(_status_of(error, body), facts) from error


def _open(body: bytes, max_pixels: float) -> Image.Image:
    """The image by the first reader that takes it."""
    Image.init()
    failure = None
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
            except Exception as error:  # readers raise whatever they meet
                failure = failure or (error if known else None)
    raise failure or ImageError("unsupported" if _is_unread(body) else "not_an_image")


def _accepts(accept: Callable[[bytes], bool | str] | None, prefix: bytes) -> bool:
    """Whether a reader knows a file by its first bytes."""
    try:
        return accept is not None and accept(prefix) is True
    except (IndexError, ValueError):  # a file that is shorter than they look at
        return False


def _pixels_of_pngs(body: bytes) -> int:
    """The most pixels that a PNG in a body says to have."""
    sizes = PNG_SIZE.findall(body)
    return max((int.from_bytes(width) * int.from_bytes(height) for width, height in sizes), default=0)


def _is_unread(body: bytes) -> bool:
    """Whether this is an image of a format that Pillow does not know."""
    begin = body[:1000].lstrip()
    svg = begin.startswith((b"<svg", b"<?xml")) and b"<svg" in begin and b"<html" not in begin
    return svg or body.startswith(JPEG_XL) or body[4:12] in HEIC


def _status_of(error: Exception, body: bytes) -> str:
    told = str(error).casefold()
    if isinstance(error, MemoryError) or "out of memory" in told:
        return "out_of_memory"
    if isinstance(error, Image.DecompressionBombError):
        return "too_large"
    short = body[:4] == b"RIFF" and len(body) < 8 + int.from_bytes(body[4:8], "little")
    cut_off = short or isinstance(error, EOFError) or any(words in told for words in CUT_OFF)
    return "truncated" if cut_off else "undecodable"
