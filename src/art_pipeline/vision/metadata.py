"""What an image file holds beside its pixels: read where it matters, left out where it is in the way."""

import re
import struct

from PIL import Image

ORIENTATION = 0x0112
SHORT = 3  # kind of an EXIF value: 16 bits
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
EXIF = b"Exif\0\0"
PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")
# Second bytes of the markers of a JPEG: of segments that have a length, and of those that say nothing of pixels.
START, EXIF_SEGMENT = 0xFF, 0xE1
SEGMENTS = {*range(0xC0, 0xFF)} - {*range(0xD0, 0xDB)}
METADATA_SEGMENTS = {*range(0xE1, 0xEE), 0xEF, 0xFE}


def orientation_of(image: Image.Image) -> int:
    """How EXIF (or XMP) says that an image is to be turned: 1 to 8, and 1 where nothing readable is said.

    The entry counts though others of its block are damaged.
    """
    found = _scan_exif(image.info.get("exif"))
    if found is None:
        try:
            found = image.getexif().get(ORIENTATION)
        except Exception:  # a damaged block raises whatever its reader meets
            found = None
    return found if found in UPRIGHT else 1


def turn_upright(image: Image.Image) -> Image.Image:
    """A loaded image as its orientation says that it is to be shown."""
    orientation = orientation_of(image)
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _scan_exif(exif: object) -> int | None:
    """The orientation among the entries of an EXIF block's first directory, each of 12 bytes."""
    if not isinstance(exif, bytes):
        return None
    block = exif.removeprefix(EXIF)
    order = {b"II": "<", b"MM": ">"}.get(block[:2], "=")
    try:
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, start)
        for place in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", block, place)
            if (tag, kind) == (ORIENTATION, SHORT):
                return value
    except struct.error:  # the block ends
        pass
    return None


def without_metadata(body: bytes) -> bytes:
    """An image file without comments, profiles and texts, which its reader may refuse; the same for other formats.

    The orientation stays as it is.
    """
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return _plain_png(body)
    if body.startswith(b"\xff\xd8"):
        return _plain_jpeg(body)
    if body[4:8] == b"ftyp":  # AVIF states its orientation elsewhere: EXIF and XMP become items of no known kind
        return re.sub(rb"(infe.{8})(?:Exif|mime)", rb"\1skip", body, flags=re.DOTALL)
    return body


def _plain_png(body: bytes) -> bytes:
    parts, place = [body[:8]], 8
    while place + 8 <= len(body):  # length, kind, content, checksum
        (length,) = struct.unpack_from(">I", body, place)
        end = place + 12 + length
        if body[place + 4 : place + 8] in PNG_KEPT:
            parts.append(body[place:end])
        place = end
    return b"".join(parts)


def _plain_jpeg(body: bytes) -> bytes:
    """With a new EXIF block in place of each, which says the same orientation and no more."""
    parts, place = [body[:2]], 2
    while place + 4 <= len(body) and body[place] == START and body[place + 1] in SEGMENTS:
        marker, end = body[place + 1], place + 2 + int.from_bytes(body[place + 2 : place + 4])
        content = body[place + 4 : end]
        if marker == EXIF_SEGMENT and content.startswith(EXIF):
            parts.append(_exif_segment(_scan_exif(content) or 1))
        elif marker not in METADATA_SEGMENTS:
            parts.append(body[place:end])
        place = end
    return b"".join([*parts, body[place:]])


def _exif_segment(orientation: int) -> bytes:
    block = EXIF + b"II*\0" + struct.pack("<IHHHIII", 8, 1, ORIENTATION, SHORT, 1, orientation, 0)
    return bytes([START, EXIF_SEGMENT]) + struct.pack(">H", len(block) + 2) + block
