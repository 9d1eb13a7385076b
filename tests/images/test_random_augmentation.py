import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.images.random_augmentation import RandomAugmentationOptions, augment_randomly

NOTHING = {
    "horizontal_flip": False,
    "rotation": 0,
    "shift": 0,
    "zoom": 0,
    "stretch": 0,
    "brightness": (1, 1),
    "contrast": (1, 1),
}
SEEDS = st.integers(0, 2**32 - 1)


def image(height=40, width=60):
    """Two blurred blobs on grey, neither in the middle."""
    y, x = np.mgrid[:height, :width]
    blob = np.exp(-((y - 0.3 * height) ** 2 + (x - 0.25 * width) ** 2) / 40)
    other = np.exp(-((y - 0.7 * height) ** 2 + (x - 0.6 * width) ** 2) / 20)
    return np.stack([60 + 120 * blob, 80 + 90 * other, np.full((height, width), 100.0)], axis=2).astype(np.float32)


def augmented(pixels, seed=0, **options):
    return augment_randomly(pixels, np.random.default_rng(seed), RandomAugmentationOptions(**NOTHING | options))


def place(pixels):
    """Where the first blob is: (x, y)."""
    y, x = np.unravel_index(pixels[..., 0].argmax(), pixels.shape[:2])
    return np.array([x, y])


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 50), st.integers(1, 50), SEEDS)
def test_shape_type_and_range_stay_and_the_image_too(height, width, seed):
    pixels = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    before = pixels.copy()
    found = augment_randomly(pixels, np.random.default_rng(seed), RandomAugmentationOptions())
    assert (found.shape, found.dtype) == (pixels.shape, np.float32)
    assert 0 <= found.min() <= found.max() <= 255
    np.testing.assert_array_equal(pixels, before)


def test_with_nothing_to_change_nothing_changes():
    np.testing.assert_allclose(augmented(image()), image(), atol=1e-3)


def test_half_of_the_images_are_mirrored_and_no_others():
    pixels = image()
    found = [augmented(pixels, seed, horizontal_flip=True) for seed in range(200)]
    mirrored = [np.allclose(one, pixels[:, ::-1], atol=1e-3) for one in found]
    same = [np.allclose(one, pixels, atol=1e-3) for one in found]
    assert sum(mirrored) + sum(same) == 200
    assert 70 < sum(mirrored) < 130


@pytest.mark.parametrize(
    ("options", "reach"),
    [({"shift": 0.1}, (6, 4)), ({"zoom": 0.2}, (3, 2)), ({"stretch": 0.2}, (0, 2)), ({"rotation": 30}, (10, 12))],
)
def test_a_blob_moves_as_far_as_it_may_and_no_further(options, reach):
    pixels = image()
    moves = np.array([place(augmented(pixels, seed, **options)) - place(pixels) for seed in range(100)])
    assert (np.abs(moves).max(axis=0) <= np.array(reach) + 1).all()
    assert (np.abs(moves).max(axis=0) >= np.array(reach) // 2).all()
    assert (moves.min(axis=0) <= 0).all()
    assert (moves.max(axis=0) >= 0).all()


def test_the_middle_stays_where_it_is_when_an_image_is_turned_and_zoomed():
    pixels = np.zeros((41, 61, 3), np.float32)
    pixels[19:22, 29:32] = 200
    for seed in range(20):
        found = augmented(pixels, seed, rotation=90, zoom=0.5, stretch=0.3, horizontal_flip=True)
        assert found[20, 30].min() > 150


def test_brightness_is_a_factor_of_all_and_contrast_of_the_distance_from_grey():
    pixels = image()
    np.testing.assert_allclose(augmented(pixels, brightness=(0.9, 0.9)), pixels * 0.9, atol=1e-3)
    np.testing.assert_allclose(augmented(pixels, contrast=(0.5, 0.5)), (pixels - 128) / 2 + 128, atol=1e-3)
    np.testing.assert_array_equal(augmented(pixels, brightness=(5, 5)), 255)


def test_the_stream_decides():
    pixels = image()
    first, again, other = (
        augment_randomly(pixels, np.random.default_rng(seed), RandomAugmentationOptions()) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 5


@pytest.mark.parametrize(
    "options", [{"zoom": 1}, {"shift": -0.1}, {"rotation": 200}, {"brightness": (1.2, 0.8)}, {"contrast": (0, 1)}]
)
def test_options_are_in_range(options):
    with pytest.raises(ValidationError):
        RandomAugmentationOptions(**options)
