"""Files to upload, good and bad."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

SCRIPT = b"<html><script>alert(1)</script></html>"


def image(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (64, 48), **options) -> bytes:
    out = io.BytesIO()
    image(mode, size).save(out, kind, **options)
    return out.getvalue()


def sixteen_bit(kind: str) -> bytes:
    values = np.random.default_rng(0).integers(0, 65535, (48, 64)).astype(np.uint16)
    out = io.BytesIO()
    Image.fromarray(values).save(out, kind)
    return out.getvalue()


def jpeg_with_metadata() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"  # ImageDescription
    return encoded(exif=exif, comment=SCRIPT)


def bomb() -> bytes:
    """Return a PNG of some hundred bytes whose header states 40,000 x 40,000 pixels."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


GOOD = {
    "jpeg": encoded(),
    "grey jpeg": encoded(mode="L"),
    "cmyk jpeg": encoded(mode="CMYK"),
    "progressive jpeg": encoded(progressive=True),
    "large jpeg": encoded(size=(900, 700)),
    "png": encoded("PNG"),
    "png with alpha": encoded("PNG", "RGBA"),
    "png with a palette": encoded("PNG", "P"),
    "16-bit png": sixteen_bit("PNG"),
    "16-bit tiff": sixteen_bit("TIFF"),
    "cmyk tiff": encoded("TIFF", "CMYK"),
    "bilevel tiff": encoded("TIFF", "1"),
    "webp": encoded("WEBP"),
    "gif": encoded("GIF"),
    "avif": encoded("AVIF"),
}
POLYGLOTS = {
    "jpeg and html": encoded() + SCRIPT,
    "jpeg with metadata": jpeg_with_metadata(),
    "jpeg and zip": encoded() + b"PK\x03\x04" + SCRIPT,
    "gif and script": encoded("GIF", comment=SCRIPT),
    "png and html": encoded("PNG") + SCRIPT,
}
BAD = {
    "empty": (b"", "empty"),
    "html": (SCRIPT, "not_an_image"),
    "text": (b"hello", "not_an_image"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "unsupported"),
    "svg with a declaration": (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "unsupported"),
    "pdf": (b"%PDF-1.7\n" + SCRIPT, "not_an_image"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported"),
    "bmp": (encoded("BMP"), "unsupported"),
    "ico": (encoded("ICO"), "unsupported"),
    "truncated": (encoded()[:-200], "truncated"),
    "only the start of a jpeg": (b"\xff\xd8\xff\xe0" + SCRIPT, "truncated"),
    "bomb": (bomb(), "too_large"),
    "too small": (encoded(size=(64, 3)), "too_small"),
}
