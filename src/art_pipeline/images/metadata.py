"""Metadata of image files: the EXIF orientation, and removal of metadata that a reader rejects."""

import re
import struct

from PIL import Image

ORIENTATION = 0x0112
ENTRY = 12  # bytes per entry of an EXIF or TIFF directory
SHORT = 3  # EXIF type of 16-bit values
TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
EXIF = b"Exif\0\0"
ORDERS = {b"II": "<", b"MM": ">"}
# TIFF tags of names, makers, dates and resolutions; XMP, profiles and EXIF have private tags.
TIFF_METADATA = {*range(269, 273), *range(282, 284), *range(285, 288), 296, 297, 300, 305, 306, 315, 316, 337}
FIRST_PRIVATE_TAG = 600
WEBP_ALPHA, WEBP_EXIF = 0x10, 0x08  # flags of the VP8X header
PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")
# Second bytes of JPEG markers: segments with a length field, and those of them that hold metadata.
START, EXIF_SEGMENT = 0xFF, 0xE1
SEGMENTS = {*range(0xC0, 0xFF)} - {*range(0xD0, 0xDB)}
METADATA_SEGMENTS = {*range(0xE1, 0xEE), 0xEF, 0xFE}


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF (or XMP) orientation, 1 to 8; 1 if there is none that can be read.

    The entry is used even if other entries of its block are damaged.
    """
    found = _scan_exif(image.info.get("exif"))
    if found is None:
        try:
            found = image.getexif().get(ORIENTATION)
        except Exception:  # a damaged block raises exceptions of any type
            found = None
    return found if found in TRANSPOSE else 1


def apply_orientation(image: Image.Image) -> Image.Image:
    """Transpose a loaded image according to its orientation."""
    orientation = orientation_of(image)
    return image.transpose(TRANSPOSE[orientation]) if orientation in TRANSPOSE else image


def _scan_exif(exif: object) -> int | None:
    """Return the orientation in the first directory of an EXIF block."""
    block = exif.removeprefix(EXIF) if isinstance(exif, bytes) else b""
    order = ORDERS.get(block[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, start)
        for place in range(start + 2, start + 2 + ENTRY * entries, ENTRY):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", block, place)
            if (tag, kind) == (ORIENTATION, SHORT):
                return int(value)
    except struct.error:  # the block is truncated
        pass
    return None


def strip_metadata(body: bytes) -> bytes:
    """Return an image file without comments, profiles and texts, which a reader may reject; the orientation is kept.

    PNG, JPEG, TIFF, WebP and AVIF; other files are returned unchanged.
    """
    try:
        return _strip(body)
    except (struct.error, IndexError):  # the file's structure is truncated
        return body


def _strip(body: bytes) -> bytes:
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return _strip_png(body)
    if body.startswith(b"\xff\xd8"):
        return _strip_jpeg(body)
    if body[:4] in (b"II*\0", b"MM\0*"):
        return _strip_tiff(body)
    if body[:4] == b"RIFF" and body[12:16] == b"VP8X":
        return _strip_webp(body)
    if body[4:8] == b"ftyp":  # AVIF stores its orientation elsewhere: EXIF and XMP become items of an unknown type
        return re.sub(rb"(infe.{8})(?:Exif|mime)", rb"\1skip", body, flags=re.DOTALL)
    return body


def _strip_png(body: bytes) -> bytes:
    parts, place = [body[:8]], 8
    while place + 8 <= len(body):  # length, kind, content, checksum
        (length,) = struct.unpack_from(">I", body, place)
        end = place + 12 + length
        if body[place + 4 : place + 8] in PNG_KEPT:
            parts.append(body[place:end])
        place = end
    return b"".join(parts)


def _strip_webp(body: bytes) -> bytes:
    """Keep the chunks of pixels, wherever they are, and add one with the orientation."""
    if b"ANIM" in body[:100]:
        return body
    places = [place for name in (b"ALPH", b"VP8 ", b"VP8L") if (place := body.find(name, 30)) > 0]
    ends = [place + 8 + _even(body[place + 4 : place + 8]) for place in places]
    if not ends or max(ends) > len(body):
        return body  # truncated
    pixels = b"".join(body[place:end] for place, end in zip(places, ends, strict=True))
    exif = _exif_block(_scan_exif(body[body.rfind(b"EXIF") + 8 :]) or 1)
    flags = bytes([(body[20] & WEBP_ALPHA) | WEBP_EXIF])
    chunks = body[12:20] + flags + body[21:30] + pixels + b"EXIF" + struct.pack("<I", len(exif)) + exif
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _even(size: bytes) -> int:
    number = int.from_bytes(size, "little")
    return number + number % 2


def _strip_tiff(body: bytes) -> bytes:
    """Keep the entries of the first directory that describe the pixels."""
    order = ORDERS[body[:2]]
    (start,) = struct.unpack_from(f"{order}I", body, 4)
    (entries,) = struct.unpack_from(f"{order}H", body, start)
    rows = (body[place : place + ENTRY] for place in range(start + 2, start + 2 + ENTRY * entries, ENTRY))
    kept = [row for row in rows if len(row) == ENTRY and _is_of_pixels(struct.unpack_from(f"{order}H", row)[0])]
    directory = struct.pack(f"{order}H", len(kept)) + b"".join(kept) + bytes(4)
    return body[:start] + directory + body[start + len(directory) :]


def _is_of_pixels(tag: int) -> bool:
    return tag < FIRST_PRIVATE_TAG and tag not in TIFF_METADATA


def _strip_jpeg(body: bytes) -> bytes:
    """Remove metadata segments, and replace each EXIF block by one with the orientation only."""
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
    block = _exif_block(orientation)
    return bytes([START, EXIF_SEGMENT]) + struct.pack(">H", len(block) + 2) + block


def _exif_block(orientation: int) -> bytes:
    return EXIF + b"II*\0" + struct.pack("<IHHHIII", 8, 1, ORIENTATION, SHORT, 1, orientation, 0)
