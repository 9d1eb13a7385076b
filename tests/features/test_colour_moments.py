import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from art_pipeline.features.colour_moments import LENGTH, colour_moments

images = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)))


@given(images)
@settings(deadline=None)
def test_the_moments_are_those_of_the_definition(pixels):
    hsv = np.array([colorsys.rgb_to_hsv(*colour) for colour in pixels.reshape(-1, 3) / 255])
    third = np.mean((hsv - hsv.mean(axis=0)) ** 3, axis=0)
    expected = [hsv.mean(axis=0), hsv.std(axis=0), np.cbrt(third)]
    # A cube root magnifies rounding around 0.
    assert colour_moments(pixels) == pytest.approx(np.stack(expected, axis=1).ravel(), abs=5e-3)


@given(images, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_place_of_a_pixel_is_no_matter(pixels, random):
    shuffled = pixels.reshape(-1, 3).copy()
    random.shuffle(order := list(range(len(shuffled))))
    assert colour_moments(shuffled[order].reshape(pixels.shape)) == pytest.approx(colour_moments(pixels), abs=5e-3)


@given(images)
@settings(deadline=None)
def test_shape_type_and_range(pixels):
    moments = colour_moments(pixels)
    assert moments.shape == (LENGTH,) and moments.dtype == np.float32
    assert np.isfinite(moments).all() and (np.abs(moments) <= 1).all()
    assert (moments[[0, 1, 3, 4, 6, 7]] >= 0).all()


def test_hue_is_a_number_and_no_angle():
    pixels = np.array([[[255, 0, 0], [255, 0, 1]]], np.uint8)  # two reds that look alike
    assert colour_moments(pixels)[1] > 0.49
