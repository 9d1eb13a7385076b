import io
import struct
import tempfile
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.errors import StorageError
from art_pipeline.images.metadata import ORIENTATION
from art_pipeline.images.standardize import (
    decode_rgb,
    image_path,
    inspect_image,
    read_rgb,
    resize,
    standardize,
    standardize_all,
)

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")
SIDES = st.integers(1, 90)
DAMAGED = {"empty", "not_an_image", "truncated", "undecodable"}
STATUSES = {"ok", "too_large", "unsupported", *DAMAGED}
WHITE, RED = (255, 255, 255), (200, 30, 30)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def smooth(width, height, seed=0):
    """An image of soft blobs, which JPEG hardly changes."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def halves(mode, left, right):
    """40 by 20 pixels, two flat halves."""
    image = Image.new(mode, (40, 20), left)
    image.paste(right, (20, 0, 40, 20))
    return image


def png_that_claims(width, height):
    """A PNG of about a hundred bytes whose header states any size: a decompression bomb."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def inspect(body, max_pixels=1e6):
    return inspect_image(body, max_pixels=max_pixels)


def opened(body):
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


def sides_of(body, max_side=400):
    """Mean colours of the left and the right half, after the whole way."""
    pixels = decode_rgb(body, max_side).astype(float)
    middle = pixels.shape[1] // 2
    return pixels[:, : middle - 2].mean(axis=(0, 1)), pixels[:, middle + 2 :].mean(axis=(0, 1))


@settings(deadline=None, max_examples=30)
@given(SIDES, SIDES, st.sampled_from(FORMATS), st.integers(1, 70), st.integers(0, 99))
def test_the_result_is_an_rgb_jpeg_within_bounds_of_the_same_shape(width, height, kind, max_side, seed):
    result = opened(standardize(encode(smooth(width, height, seed), kind), max_side))
    assert (result.format, result.mode) == ("JPEG", "RGB")
    longest = max(width, height)
    assert max(result.size) == min(longest, max_side)
    scale = min(1.0, max_side / longest)
    assert abs(result.width - width * scale) <= 1
    assert abs(result.height - height * scale) <= 1


@settings(deadline=None, max_examples=20)
@given(SIDES, SIDES, st.sampled_from(FORMATS), st.integers(1, 70))
def test_standardizing_twice_changes_nothing(width, height, kind, max_side):
    once = standardize(encode(smooth(width, height), kind), max_side)
    assert standardize(once, max_side) == once


@settings(deadline=None, max_examples=20)
@given(SIDES, SIDES, st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"]), st.integers(0, 99))
def test_any_mode_becomes_rgb_pixels(width, height, mode, seed):
    grey = np.random.default_rng(seed).integers(0, 2**16, (height, width), dtype=np.uint16)
    image = Image.fromarray(grey) if mode == "I;16" else smooth(width, height, seed).convert(mode)
    body = encode(image, "TIFF" if mode == "CMYK" else "PNG")
    assert inspect(body) == type(inspect(body))("ok", "TIFF" if mode == "CMYK" else "PNG", mode, width, height)
    pixels = decode_rgb(body, 400)
    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(FORMATS), st.floats(0, 1), st.integers(0, 99))
def test_an_image_cut_anywhere_has_a_status_and_is_never_worse_than_cut(kind, share, seed):
    body = encode(smooth(40, 30, seed), kind)
    cut = body[: int(share * len(body))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Pillow's TIFF reader talks before it gives up
        found = inspect(cut)
    assert found.status in STATUSES
    if len(cut) < len(body) - 30:  # what comes at the very end may be spared
        assert found.status in DAMAGED


@settings(deadline=None, max_examples=75)
@given(st.sampled_from(FORMATS), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=5))
def test_what_is_found_ok_can_be_standardized_however_damaged(kind, changes):
    body = bytearray(encode(smooth(40, 30), kind))
    for place, value in changes:
        body[int(place * len(body))] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        if inspect(bytes(body)).status == "ok":
            assert decode_rgb(bytes(body), 400).dtype == np.uint8


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_image_are_none(body):
    assume(not body.startswith((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")))
    assert inspect(body).status in DAMAGED | {"unsupported"}


@pytest.mark.parametrize("kind", FORMATS)
def test_an_image_is_known_by_its_content(kind):
    found = inspect(encode(smooth(40, 30), kind))
    assert (found.status, found.format, found.width, found.height) == ("ok", kind, 40, 30)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>403 Forbidden</body></html>", "not_an_image"),
        (b"\x89PNG\r\n\x1a\n", "undecodable"),
        (b"GIF89a", "undecodable"),
        (b'{"message": "not found"}', "not_an_image"),
    ],
)
def test_what_is_no_image_says_so(body, status):
    found = inspect(body)
    assert found == type(found)(status)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_body_cut_in_the_middle_is_truncated(kind):
    body = encode(smooth(200, 150), kind)
    found = inspect(body[: len(body) // 2])
    assert (found.status, found.format, found.width, found.height) == ("truncated", kind, 200, 150)


def test_more_pixels_than_allowed_are_left_undecoded():
    bomb = png_that_claims(2000, 1000)
    assert len(bomb) < 200
    found = inspect(bomb, max_pixels=1e6)
    assert (found.status, found.width, found.height) == ("too_large", 2000, 1000)
    assert inspect(bomb, max_pixels=2e6).status == "truncated"  # that many would have been decoded


@pytest.mark.parametrize("side", [14_000, 30_000])  # twice Pillow's own limit, where it refuses, is a side of 13,377
def test_a_bomb_beyond_pillows_own_limit_is_too_large_without_a_warning(side):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert inspect(png_that_claims(side, side), max_pixels=1e8).status == "too_large"
    assert caught == []


def test_an_rgb_jpeg_within_bounds_keeps_its_bytes():
    body = encode(smooth(80, 60), "JPEG", quality=60)
    assert standardize(body, 80) is body
    assert standardize(body, 79) != body


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_turned_by_exif_is_turned_upright(orientation):
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    stored = smooth(60, 40)
    upright = stored if orientation == 1 else stored.transpose(turn[orientation])
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    pixels = decode_rgb(encode(stored, "JPEG", quality=95, subsampling=0, exif=exif), 400)
    assert pixels.shape == np.asarray(upright).shape
    assert np.abs(pixels.astype(int) - np.asarray(upright)).mean() < 3
    assert standardize(standardize(encode(stored, "JPEG", exif=exif), 400), 400) is not None


def test_a_jpeg_with_damaged_exif_is_read_all_the_same():
    body = encode(smooth(60, 40), "JPEG", exif=b"Exif\0\0no tags at all")
    assert decode_rgb(body, 400).shape == (40, 60, 3)


@pytest.mark.parametrize(
    ("image", "left", "right"),
    [
        (halves("L", 0, 200), (0, 0, 0), (200, 200, 200)),
        (halves("1", 0, 1), (0, 0, 0), WHITE),
        (halves("LA", (100, 255), (100, 0)), (100, 100, 100), WHITE),
        (halves("RGBA", (*RED, 255), (*RED, 0)), RED, WHITE),
        (halves("RGBA", (0, 0, 0, 255), (0, 0, 0, 128)), (0, 0, 0), (127, 127, 127)),
        (halves("RGB", RED, (0, 0, 255)).quantize(4), RED, (0, 0, 255)),
    ],
    ids=["grey", "one bit", "grey with alpha", "transparent", "half transparent", "palette"],
)
def test_a_png_of_any_mode_keeps_its_colours(image, left, right):
    found_left, found_right = sides_of(encode(image, "PNG"))
    np.testing.assert_allclose(found_left, left, atol=3)
    np.testing.assert_allclose(found_right, right, atol=3)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_becomes_white(kind):
    image = halves("P", 0, 1)
    image.putpalette([*RED, 0, 0, 255])
    left, right = sides_of(encode(image, kind, transparency=1))
    np.testing.assert_allclose(left, RED, atol=3)
    np.testing.assert_allclose(right, WHITE, atol=3)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_inks_become_light(kind):
    body = encode(halves("CMYK", (0, 255, 255, 0), (0, 0, 0, 0)), kind)
    assert inspect(body).mode == "CMYK"
    left, right = sides_of(body)
    np.testing.assert_allclose(left, (255, 0, 0), atol=6)
    np.testing.assert_allclose(right, WHITE, atol=6)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_cut_off(kind):
    ramp = np.repeat(np.linspace(0, 65535, 256).astype(np.uint16)[None], 32, axis=0)
    body = encode(Image.fromarray(ramp), kind)
    assert inspect(body).mode == "I;16"
    pixels = decode_rgb(body, 400).astype(int)
    np.testing.assert_allclose(pixels[16, :, 0], np.arange(256), atol=3)
    assert np.abs(pixels - pixels[:, :, :1]).max() <= 2  # grey


@pytest.mark.parametrize("largest", [1.0, 900.0])
def test_floating_values_are_scaled_by_their_largest_or_by_one(largest):
    ramp = np.repeat(np.linspace(0, largest, 200, dtype=np.float32)[None], 20, axis=0)
    pixels = decode_rgb(encode(Image.fromarray(ramp), "TIFF"), 400)
    np.testing.assert_allclose(pixels[10, [0, 100, 199], 0], [0, 128, 255], atol=3)


def test_the_first_frame_of_an_animation_is_taken():
    frames = [Image.new("RGB", (40, 20), RED), Image.new("RGB", (40, 20), (0, 0, 255))]
    body = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(decode_rgb(body, 400).mean(axis=(0, 1)), RED, atol=3)


def test_red_comes_first():
    body = encode(Image.new("RGB", (20, 20), RED), "JPEG")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "red.jpg"
        path.write_bytes(body)
        np.testing.assert_array_equal(read_rgb(path), decode_rgb(body, 400))
        np.testing.assert_allclose(read_rgb(path)[5, 5], RED, atol=3)


def test_many_are_standardized_by_content_whatever_their_names(tmp_path):
    sources = []
    for object_id, kind in enumerate(FORMATS, start=10):
        path = tmp_path / f"é {object_id}.txt"
        path.write_bytes(encode(smooth(90, 50, object_id), kind))
        sources.append((object_id, path))
    images = tmp_path / "images"
    images.mkdir()
    standardize_all(sources, len(sources), 64, images)
    assert sorted(file.name for file in images.iterdir()) == [f"{object_id}.jpg" for object_id, _ in sources]
    for object_id, path in sources:
        assert image_path(images, object_id).read_bytes() == standardize(path.read_bytes(), 64)
        assert read_rgb(image_path(images, object_id)).shape == (36, 64, 3)


@pytest.mark.parametrize("content", [None, b"no image"])
def test_an_image_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "7.jpg"
    if content:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=r"7\.jpg is missing or not an image\. Create the images again"):
        read_rgb(path)


@settings(deadline=None, max_examples=40)
@given(SIDES, SIDES, SIDES, st.integers(0, 99))
def test_any_shape_is_stretched_to_a_square_within_its_own_colours(width, height, size, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    before = pixels.copy()
    square = resize(pixels, size, size)
    assert (square.shape, square.dtype) == ((size, size, 3), np.uint8)
    assert (square.min(axis=(0, 1)) >= pixels.min(axis=(0, 1))).all()
    assert (square.max(axis=(0, 1)) <= pixels.max(axis=(0, 1))).all()
    np.testing.assert_array_equal(resize(square, size, size), square)
    np.testing.assert_array_equal(pixels, before)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_an_image_that_shrinks_becomes_the_mean_of_its_blocks(size, across, down, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (size * down, size * across, 3), np.uint8)
    blocks = pixels.reshape(size, down, size, across, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(resize(pixels, size, size), blocks, atol=0.51)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(2, 40))
def test_a_slope_stays_a_slope_on_both_axes(width, height, size):
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([255 * x // (width - 1), 255 * y // (height - 1), np.full_like(x, 90)], axis=-1).astype(np.uint8)
    square = resize(pixels, size, size).astype(int)
    assert (np.diff(square[..., 0], axis=1) >= 0).all()
    assert (np.diff(square[..., 1], axis=0) >= 0).all()
    assert (square[..., 2] == 90).all()


def test_opencv_and_pillow_agree_on_a_standard_image():
    body = standardize(encode(smooth(90, 70), "PNG"), 64)
    by_opencv = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(by_opencv.astype(int) - np.asarray(opened(body))).max() <= 2
