from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from art_pipeline.features.gist import LENGTH, gist

REFERENCE = Path(__file__).with_name("gist_reference.csv")


def reference_images():
    """The three images, in integers alone, that LabelMe Toolbox described under Octave."""
    y, x = np.mgrid[0:256, 0:256]
    stripes = 255 * ((x // 16 + y // 32) % 2)
    stripes[:, 199:] = (x[:, 199:] * 5) % 256
    return [(x * 7 + y * y * 3 + x * y) % 256, ((x - 100) ** 2 // 64 + (y - 60) ** 2 // 32) % 256, stripes]


def rgb(grey):
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("number", range(3))
def test_the_values_are_those_of_the_authors_code(number):
    expected = np.loadtxt(REFERENCE, delimiter=",")[number]
    assert gist(rgb(reference_images()[number])) == pytest.approx(expected, rel=1e-4)


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
@settings(deadline=None, max_examples=25)
def test_any_image_has_a_descriptor(pixels):
    descriptor = gist(pixels)
    assert descriptor.shape == (LENGTH,) and descriptor.dtype == np.float32
    assert np.isfinite(descriptor).all() and (descriptor >= 0).all()


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_one_colour_has_no_energy(colour):
    assert gist(np.full((30, 50, 3), colour, np.uint8)) == pytest.approx(0, abs=1e-5)


def test_a_turned_image_has_its_blocks_turned():
    grey = reference_images()[1]
    blocks, flipped = gist(rgb(grey)).reshape(32, 4, 4), gist(rgb(grey[::-1])).reshape(32, 4, 4)
    # Upside down, rows are in reverse; the first orientation of each scale is the same upside down.
    assert flipped[::8, :, ::-1] == pytest.approx(blocks[::8], rel=0.02)


def test_brightness_and_contrast_are_no_matter():
    grey = reference_images()[2] // 2
    assert gist(rgb(grey + 100)) == pytest.approx(gist(rgb(grey)), rel=1e-3, abs=1e-5)


def test_the_bytes_are_the_same_each_time():
    pixels = rgb(reference_images()[0])[:100, :180]
    assert gist(pixels).tobytes() == gist(pixels.copy()).tobytes()
