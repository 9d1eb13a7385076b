import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.features.sift import LENGTH, SiftOptions, sift_descriptors, sift_keypoints

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=8)


def textured(seed, side=72):
    """Blobs of several sizes: an image with some dozens of key points."""
    rng = np.random.default_rng(seed)
    pixels = np.full((side, side, 3), 128, np.uint8)
    for _ in range(25):
        centre, colour = rng.integers(0, side, 2).tolist(), rng.integers(0, 256, 3).tolist()
        cv2.circle(pixels, centre, int(rng.integers(2, 9)), colour, -1)
    return pixels


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.sampled_from([0, 5, 20]), st.sampled_from([0.02, 0.04, 0.1]), st.sampled_from([1.2, 1.6]))
def test_descriptors_are_opencvs_own(seed, most, contrast, sigma):
    pixels = textured(seed)
    machine = cv2.SIFT_create(nfeatures=most, contrastThreshold=contrast, sigma=sigma)
    _, expected = machine.detectAndCompute(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), None)
    found = sift_descriptors(pixels, SiftOptions(max_keypoints=most, contrast_threshold=contrast, sigma=sigma))
    assert found.dtype == np.uint8
    if expected is None:  # OpenCV finds no key point
        expected = np.empty((0, LENGTH), np.float32)
    assert expected.dtype == np.float32
    np.testing.assert_array_equal(found.astype(np.float32), expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (8, 8), (64, 64)])
def test_an_image_without_key_points_has_no_rows(shape):
    found = sift_descriptors(np.full((*shape, 3), 200, np.uint8), SiftOptions())
    assert found.shape == (0, LENGTH)
    assert found.dtype == np.uint8


def test_the_order_of_colours_is_rgb():
    blue = textured(3) * np.array([0, 0, 1], np.uint8)  # blue weighs a third of red in grey
    red = np.ascontiguousarray(blue[:, :, ::-1])
    assert len(sift_descriptors(blue, SiftOptions())) < len(sift_descriptors(red, SiftOptions()))


def test_fewer_key_points_are_kept_when_asked_for():
    pixels = textured(1)
    assert len(sift_descriptors(pixels, SiftOptions(max_keypoints=5))) < len(sift_descriptors(pixels, SiftOptions()))


def test_each_descriptor_has_its_key_point_in_the_image():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    points = sift_keypoints(pixels, SiftOptions())
    assert points.dtype == np.float32
    assert points.shape == (len(sift_descriptors(pixels, SiftOptions())), 5)
    assert ((points[:, :2] >= 0) & (points[:, :2] < (80, 60))).all()
    assert ((points[:, 3] >= 0) & (points[:, 3] <= 360)).all()
