"""Image files that people really have: odd metadata around whole pixels, damage, and bombs."""

import io
import random
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from art_pipeline.images.decoding import UNSUPPORTED, ImageError
from art_pipeline.images.metadata import ORIENTATION
from art_pipeline.images.near_duplicates import hash_images
from art_pipeline.images.standardize import decode_rgb, inspect_image, standardize, standardize_all

Image.init()
SIDES = (96, 72)
TURNED = (ORIENTATION, 3, 1, struct.pack("<I", 6))
coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
PLAIN = Image.fromarray(coarse).resize(SIDES, Image.Resampling.BICUBIC)
NUMBERS = [0, 1, 255, 2**16 - 1, 2**16, 2**24, 2**31 - 1, 2**32 - 1]


def encode(kind, image=PLAIN, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks):
    body = encode("PNG")
    return body[:33] + b"".join(chunks) + body[33:]


def jpeg_with(*segments):
    """A JPEG with further segments: second byte of the marker, content."""
    body = encode("JPEG", quality=95, subsampling=0)
    written = [bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments]
    return body[:2] + b"".join(written) + body[2:]


def exif_of(*entries, order="<", tail=b""):
    """An EXIF block with these entries: tag, kind, count, four bytes."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    rows = [struct.pack(f"{order}HHI", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries]
    return start + struct.pack(f"{order}IH", 8, len(rows)) + b"".join(rows) + b"\0" * 4 + tail


def jpeg_with_exif(*entries, **how):
    return jpeg_with((0xE1, b"Exif\0\0" + exif_of(*entries, **how)))


def avif_with_broken_exif():
    body = encode("AVIF", exif=exif_of((0x10F, 2, 4, b"abc\0")))
    place = body.rindex(b"II*\0")  # of the block; the others are in boxes before it
    return body[:place] + b"????" + body[place + 4 :]


def webp_with(**sizes):
    """A turned WebP whose chunks claim to have these sizes."""
    body = encode("WEBP", exif=b"Exif\0\0" + exif_of(TURNED), icc_profile=b"x" * 40, xmp=b"<x/>", lossless=True)
    for name, size in sizes.items():
        place = body.rindex(name.ljust(4).encode()) + 4
        body = body[:place] + struct.pack("<I", size) + body[place + 4 :]
    return body


def tiff_with(tag, *, kind=2, count=4, value=b"abc\0"):
    """A turned TIFF one of whose entries is like this."""
    body = encode("TIFF", tiffinfo={ORIENTATION: 6, 0x10E: "description", 0x10F: "make", 700: b"<x/>", 0x131: "x"})
    start = int.from_bytes(body[4:8], "little")
    assert body.startswith(b"II*")
    (entries,) = struct.unpack_from("<H", body, start)
    places = range(start + 2, start + 2 + 12 * entries, 12)
    (place,) = [one for one in places if struct.unpack_from("<H", body, one) == (tag,)]
    return body[:place] + struct.pack("<HHI", tag, kind, count) + value + body[place + 12 :]


def text(key, value):
    info = PngInfo()
    info.add_text(key, value)
    return info


LARGE = zlib.compress(b"a" * (2 << 20))
WHOLE = {
    "broken EXIF in PNG": png_with(chunk(b"eXIf", bytes.fromhex("0008000201120003"))),
    "broken EXIF in WebP": encode("WEBP", exif=b"Exif\0\0garbage!", lossless=True),
    "broken EXIF in JPEG": jpeg_with((0xE1, b"Exif\0\0garbage!")),
    "broken EXIF in AVIF": avif_with_broken_exif(),
    "EXIF that Pillow fails at": jpeg_with_exif((0x11A, 2, 1, b"\0"), (0x128, 11, 3, b""), (0xFFFF, 7, 2**31, b"\1")),
    "raw profile": png_with(chunk(b"tEXt", b"Raw profile type exif\0garbage")),
    "comment of 70,000 bytes in GIF": encode("GIF", PLAIN.convert("P"), comment=b"x" * 70_000),
    "comment of 70,000 letters in PNG": encode("PNG", pnginfo=text("comment", "é" * 70_000)),
    "large XMP": png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LARGE)),
    "large profile": png_with(chunk(b"iCCP", b"icc\0\0" + LARGE)),
    "large text": png_with(chunk(b"zTXt", b"Comment\0\0" + LARGE)),
    "many texts": png_with(*[chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * (1 << 20)))] * 65),
    "broken text": png_with(chunk(b"zTXt", b"Comment\0\0" + b"no zlib")),
    "checksum of a text": png_with(chunk(b"tEXt", b"a\0b")[:-1] + b"?"),
    "broken resolution": png_with(chunk(b"pHYs", b"\0")),
    "broken animation": png_with(chunk(b"acTL", b"\0\0\0\2\0\0\0\0"), chunk(b"fcTL", b"\0" * 26)),
    "broken index of several images": jpeg_with((0xE2, b"MPF\0garbage")),
    "broken Photoshop block": jpeg_with((0xED, b"Photoshop 3.0\0" + b"8BIM\4\4" + b"\xff" * 9)),
    "broken profile in JPEG": jpeg_with((0xE2, b"ICC_PROFILE\0\1\1garbage")),
    "comment in JPEG": jpeg_with((0xFE, b"x" * 65_000)),
}
TURNED_FILES = {
    "text as number": jpeg_with_exif(TURNED, (0x100, 2, 4, b"abc\0")),
    "negative short": jpeg_with_exif(TURNED, (0x128, 8, 1, struct.pack("<I", 0xFFFF))),
    "not a number": jpeg_with_exif(TURNED, (0x11A, 11, 1, b"\0\0\xc0\x7f")),
    "before it, a value that lies nowhere": jpeg_with_exif((0x10F, 2, 99, b"\xff\xff\xff\x7f"), TURNED),
    "one that Pillow fails at": jpeg_with_exif(
        TURNED, (0x11A, 2, 1, b"\0"), (0x128, 11, 3, b""), (0xFFFF, 7, 2**31, b"\1")
    ),
    "a block that is cut off": jpeg_with((0xE1, b"Exif\0\0" + exif_of(TURNED)[:22])),
    "in PNG": png_with(chunk(b"eXIf", exif_of(TURNED, (0x128, 8, 1, b"\xff\xff\0\0")))),
    "in PNG beside a large text": png_with(chunk(b"eXIf", exif_of(TURNED)), chunk(b"zTXt", b"Comment\0\0" + LARGE)),
    "in WebP": encode("WEBP", exif=b"Exif\0\0" + exif_of(TURNED, (0x128, 8, 1, b"\xff\xff\0\0")), lossless=True),
    "in XMP": jpeg_with((0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>')),
    "in WebP beside a profile without an end": webp_with(ICCP=1000),
    "in WebP beside a profile that ends early": webp_with(ICCP=1),
    "in WebP beside XMP beyond the file": webp_with(XMP=2**32 - 1),
    "in WebP without an end": webp_with(EXIF=1000),
    "in TIFF beside a description that lies nowhere": tiff_with(0x10E, count=100, value=b"\xff\xff\xff\x7f"),
    "in TIFF beside XMP that is a number": tiff_with(700, kind=11, count=1),
    "in TIFF beside a maker of no known kind": tiff_with(0x10F, kind=99, count=2**31),
    "in TIFF": encode("TIFF", tiffinfo={ORIENTATION: 6, 0x10E: "é" * 9}),
}


def inspect(body, max_pixels=1e6):
    return inspect_image(body, max_pixels=max_pixels)


def difference(body, expected):
    pixels = decode_rgb(body, max(SIDES)).astype(int)
    assert pixels.shape == (expected.height, expected.width, 3)
    return np.abs(pixels - np.asarray(expected)).mean()


# Metadata


@pytest.mark.parametrize("name", WHOLE)
def test_damaged_metadata_does_not_matter_if_the_pixels_are_whole(name):
    found = inspect(WHOLE[name])
    assert (found.status, found.width, found.height) == ("ok", *SIDES)
    assert difference(WHOLE[name], PLAIN) < 20  # GIF has 256 colours


@pytest.mark.parametrize("name", TURNED_FILES)
def test_the_orientation_is_applied_even_if_other_metadata_is_damaged(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Pillow's, of a value that lies nowhere
        assert inspect(TURNED_FILES[name]).status == "ok"
        assert difference(TURNED_FILES[name], PLAIN.transpose(Image.Transpose.ROTATE_270)) < 6


ENTRIES = st.tuples(
    st.sampled_from([0x100, 0x10E, 0x10F, 0x11A, 0x11B, 0x128, 0x132, 0x8769, 0x8825, 0xC4A5, 0x9286, 0xFFFF]),
    st.integers(0, 14),
    st.sampled_from([0, 1, 2, 4, 100, 2**31, 2**32 - 1]),
    st.binary(min_size=4, max_size=4),
)


@settings(deadline=None, max_examples=75)
@given(st.lists(ENTRIES, max_size=5), st.sampled_from("<>"), st.binary(max_size=30), st.sampled_from(["JPEG", "PNG"]))
def test_no_entry_of_exif_costs_an_image_or_its_orientation(entries, order, tail, kind):
    turned = (ORIENTATION, 3, 1, struct.pack(f"{order}HH", 6, 0))
    block = exif_of(*sorted([*entries, turned]), order=order, tail=tail)
    body = jpeg_with((0xE1, b"Exif\0\0" + block)) if kind == "JPEG" else png_with(chunk(b"eXIf", block))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert inspect(body).status == "ok"
        assert decode_rgb(body, max(SIDES)).shape == (96, 72, 3)


@pytest.mark.parametrize("name", [*WHOLE, *TURNED_FILES])
def test_what_is_kept_has_no_metadata_that_anyone_could_stumble_over(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for max_side in (48, 96):
            body = standardize((WHOLE | TURNED_FILES)[name], max_side)
            image = Image.open(io.BytesIO(body))
            image.load()
            assert (image.format, image.mode) == ("JPEG", "RGB")
            (tmp_path / "7.jpg").write_bytes(body)
            assert len(hash_images([7], tmp_path)) == 1
        assert standardize(body, 96) == body


# Damage


def bodies():
    """A small file of each format that Pillow reads and writes, in several modes and compressions."""
    grey = Image.fromarray(np.arange(24 * 18, dtype=np.uint16).reshape(18, 24))
    small = PLAIN.resize((24, 18))
    for kind in sorted(Image.SAVE.keys() & Image.OPEN.keys() - {"ICNS"}):  # of which one holds a megapixel
        for mode in ("RGB", "L", "P", "1", "RGBA", "LA", "CMYK", "F", "I;16"):
            try:
                yield f"{kind} {mode}", encode(kind, grey if mode == "I;16" else small.convert(mode))
            except (OSError, ValueError, KeyError):
                continue  # of no such mode
    for compression in ("packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg"):
        yield f"TIFF {compression}", encode("TIFF", small, compression=compression)
    for pixel_format in ("DXT1", "DXT3", "DXT5"):
        yield f"DDS {pixel_format}", encode("DDS", small.convert("RGBA"), pixel_format=pixel_format)
    yield "JPEG progressive", encode("JPEG", small, progressive=True)
    for kind in ("GIF", "PNG", "WEBP", "AVIF", "TIFF", "MPO"):
        yield f"{kind} of two", encode(kind, small, save_all=True, append_images=[small.rotate(90)])

    block = exif_of(TURNED, (0x10F, 2, 4, b"abc\0"))
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        beside = {"exif": block if kind == "TIFF" else b"Exif\0\0" + block, "icc_profile": b"x" * 40}
        yield (
            f"{kind} with metadata",
            encode(kind, small, **beside | ({} if kind in {"PNG", "TIFF"} else {"xmp": b"<x/>"})),
        )
    alpha = small.convert("RGBA")
    alpha.putalpha(90)
    yield "WEBP with alpha and metadata", encode("WEBP", alpha, exif=b"Exif\0\0" + block, quality=80)


BODIES = dict(bodies())


def damage(body, draw):
    """Bytes overwritten, flipped, cut out or cut off; often at the beginning, where headers are."""
    body = bytearray(body)
    for _ in range(draw.randint(1, 5)):
        place = draw.randrange(min(len(body), draw.choice([32, 64, len(body)])))
        how = draw.choice(["byte", "bit", "number", "hole", "end"])
        if how == "byte":
            body[place] = draw.randrange(256)
        elif how == "bit":
            body[place] ^= 1 << draw.randrange(8)
        elif how == "number":
            body[place : place + 4] = struct.pack(draw.choice("<>") + "I", draw.choice(NUMBERS))
        elif how == "hole":
            del body[place : place + draw.randint(1, 5)]
        else:
            del body[max(1, place) :]
        body = body or bytearray(1)
    return bytes(body)


@pytest.mark.parametrize("name", BODIES)
def test_a_damaged_file_is_an_image_or_has_a_status(name):
    assert inspect(BODIES[name]).status == ("unsupported" if name.split()[0] in UNSUPPORTED else "ok")
    draw = random.Random(name)
    for _ in range(40):
        body = damage(BODIES[name], draw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = inspect(body)
            try:
                result = standardize(body, 20, 1e6)
            except ImageError as error:
                assert found.status != "ok"
                assert error.status == found.status
                continue
        assert found.status == "ok" or found.format == "JPEG"
        pixels = cv2.imdecode(np.frombuffer(result, np.uint8), cv2.IMREAD_UNCHANGED)
        assert (pixels.dtype, pixels.shape[2]) == (np.uint8, 3)
        assert max(pixels.shape[:2]) <= 20


@pytest.mark.parametrize("name", [name for name in BODIES if "metadata" in name])
def test_a_file_that_is_cut_anywhere_in_its_pixels_is_no_image(name):
    body = BODIES[name]
    ends = {"PNG": body.rfind(b"IEND") - 20, "WEBP": body.rfind(b"EXIF")}  # of a PNG, without checksums
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {inspect(body[:end]).status for end in range(1, ends.get(name.split()[0], len(body)))}
    assert found <= {"truncated", "undecodable", "not_an_image", "unsupported"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("Failed to decode image: Decoding of color planes failed"), "undecodable"),
        (AssertionError(), "undecodable"),
        (RecursionError(), "undecodable"),
        (EOFError(), "truncated"),
        (OSError("image file is truncated (3 bytes not processed)"), "truncated"),
        (MemoryError(), "out_of_memory"),
        (RuntimeError("Pixel allocation failed: Out of memory"), "out_of_memory"),
    ],
)
def test_whatever_a_decoder_raises_is_a_status(error, status, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr(Image.core, "zip_decoder", fail)  # of PNG
    found = inspect(encode("PNG"))
    assert (found.status, found.format, found.width, found.height) == (status, "PNG", *SIDES)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported"),
        (b"\xff\x0a\xfa\x1f", "unsupported"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported"),
        (b'<!DOCTYPE html><html><body><svg width="9"/></body></html>', "not_an_image"),
        (encode("WEBP")[:-30], "truncated"),
        (encode("AVIF")[:40], "truncated"),
        (b"GIF89a" + bytes(20), "undecodable"),
    ],
    ids=["EPS", "HEIC", "JPEG XL", "SVG", "page with SVG", "WebP", "AVIF", "GIF"],
)
def test_the_status_says_why(body, status):
    assert inspect(body).status == status


def test_one_that_cannot_be_decoded_any_more_is_left_out_and_named(tmp_path, caplog):
    files = {1: encode("PNG"), 2: encode("PNG")[:-99], 3: WHOLE["large text"]}
    for number, body in files.items():
        (tmp_path / f"{number}.png").write_bytes(body)
    images = tmp_path / "images"
    images.mkdir()
    standardize_all([(number, tmp_path / f"{number}.png") for number in files], len(files), 64, images)
    assert sorted(file.name for file in images.iterdir()) == ["1.jpg", "3.jpg"]
    assert caplog.messages == [f"{tmp_path / '2.png'} is skipped, as it cannot be decoded: truncated"]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, -1.0])
def test_values_that_are_no_brightness_cost_no_image(odd):
    values = np.repeat(np.linspace(0, 1, 96, dtype=np.float32)[None], 72, axis=0)
    values[3, 4] = odd
    body = encode("TIFF", Image.fromarray(values))
    assert inspect(body).status == "ok"
    assert decode_rgb(body, 96).shape == (72, 96, 3)


# Bombs, and the process that this is a part of


def png_that_claims(width, height):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def test_a_bomb_in_metadata_is_never_unpacked():
    bomb = zlib.compress(bytes(200 << 20), 9)
    tracemalloc.start()
    assert inspect(png_with(chunk(b"zTXt", b"Comment\0\0" + bomb), chunk(b"iCCP", b"icc\0\0" + bomb))).status == "ok"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 << 20


IMPORT = """
import warnings
warnings.simplefilter("error")
from PIL import Image, ImageFile, PngImagePlugin
def settings():
    png = {name: value for name, value in vars(PngImagePlugin).items() if name.isupper()}
    return Image.MAX_IMAGE_PIXELS, Image.WARN_POSSIBLE_FORMATS, ImageFile.LOAD_TRUNCATED_IMAGES, png
before = settings()
from art_pipeline.images import near_duplicates, standardize
from art_pipeline.models import pyfunc
assert settings() == before, settings()
"""


def test_importing_changes_nothing_of_pillow():
    subprocess.run([sys.executable, "-c", IMPORT], check=True)


@pytest.mark.parametrize("limit", [None, 10], ids=["no limit of Pillow's", "a low one"])
def test_our_limit_holds_in_every_thread_whatever_pillows_is(limit, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    bomb = png_that_claims(30_000, 30_000)
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(bomb), 22) + bomb
    files = [bomb, encode("PNG"), icon] * 20
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda body: inspect(body, 1e8).status, files))
    assert statuses == ["too_large", "ok", "too_large"] * 20
    assert limit == Image.MAX_IMAGE_PIXELS
