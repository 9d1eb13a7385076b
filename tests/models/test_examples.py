import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.errors import StorageError
from art_pipeline.images.standardize import read_rgb, resize
from art_pipeline.models.training import images as module
from art_pipeline.models.training.images import DecodedImages, Examples, decode, decode_all

SIDES = HEIGHT, WIDTH = 8, 6
BYTES = HEIGHT * WIDTH * 3
NAMES = st.lists(st.text(max_size=3), max_size=4)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Eleven images of shapes of their own, the fifth of just the size that is asked for."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    found = [folder / f"{number}.png" for number in range(11)]
    for number, path in enumerate(found):
        height, width = SIDES if number == 4 else rng.integers(3, 20, 2)
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(path)
    return found


@pytest.fixture
def decoded(monkeypatch):
    """The files that are decoded, in order."""
    seen = []
    monkeypatch.setattr(module, "decode", lambda path, sides: seen.append(path) or decode(path, sides))
    return seen


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 14), st.lists(st.lists(st.integers(0, 10), min_size=1, max_size=6), min_size=1, max_size=5))
def test_images_are_the_same_whatever_is_kept(paths, images_kept, asked):
    memory = images_kept * BYTES / module.MEGABYTE
    some = DecodedImages(paths, SIDES, memory)
    for positions in asked:
        found = some[positions]
        assert found.dtype == np.float32
        expected = [resize(read_rgb(paths[position]), *SIDES) for position in positions]
        np.testing.assert_array_equal(found, expected)
    assert len(some) == 11
    held = sum(value.nbytes for value in vars(some).values() if isinstance(value, np.ndarray) and value.ndim > 1)
    assert held <= memory * module.MEGABYTE


@pytest.mark.parametrize("kept", [0, 1, 7, 11, 500])
def test_what_is_kept_is_decoded_once_and_the_rest_each_time(paths, decoded, kept):
    some = DecodedImages(paths, SIDES, kept * BYTES / module.MEGABYTE)
    for _ in range(3):
        some[list(range(11))]
    counts = [decoded.count(path) for path in paths]
    assert counts == [1] * min(kept, 11) + [3] * (11 - min(kept, 11))


def test_what_is_handed_out_can_be_changed_without_harm(paths):
    some = DecodedImages(paths, SIDES, 1)
    some[[0, 1]][:] = -1
    np.testing.assert_array_equal(some[[0]][0], decode(paths[0], SIDES))


def test_all_are_decoded_in_order_however_long_each_takes(paths, monkeypatch):
    def slow(path, sides):
        time.sleep(0.02 * (path == paths[0]))
        return decode(path, sides)

    monkeypatch.setattr(module, "decode", slow)
    found = list(decode_all(paths, SIDES))
    assert [one.shape for one in found] == [(*SIDES, 3)] * 11
    for one, path in zip(found, paths, strict=True):
        np.testing.assert_array_equal(one, resize(read_rgb(path), *SIDES))


def test_an_image_that_cannot_be_read_is_named(paths, tmp_path):
    missing = tmp_path / "77.jpg"
    with pytest.raises(StorageError, match=r"77\.jpg"):
        DecodedImages([*paths, missing], SIDES, 1)[[11]]
    with pytest.raises(StorageError, match=r"77\.jpg"):
        list(decode_all([*paths, missing], SIDES))


@given(NAMES, NAMES)
def test_examples_come_one_after_the_other(first, second):
    def of(names):
        return Examples(tuple(names), tuple(f"label of {name}" for name in names), tuple(map(Path, names)))

    both = of(first) + of(second)
    assert both == of([*first, *second])
    assert len(both) == len(first) + len(second)
    assert both + Examples() == both == Examples() + both
