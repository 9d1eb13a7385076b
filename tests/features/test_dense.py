"""Descriptors on a grid."""

import cv2
import numpy as np
import pytest

from art_pipeline.features.dense import COLOUR_LENGTH, SIFT_LENGTH, dense_sift, local_colour

BOTH = pytest.mark.parametrize(("extract", "length"), [(dense_sift, SIFT_LENGTH), (local_colour, COLOUR_LENGTH)])


def noise(seed=0, height=60, width=80):
    blurred = cv2.GaussianBlur(np.random.default_rng(seed).uniform(0, 255, (height, width, 3)), (0, 0), 2)
    return np.clip((blurred - 128) * 6 + 128, 0, 255).astype(np.uint8)


@BOTH
@pytest.mark.parametrize(("cell", "step"), [(3, 5), (4, 4), (7, 6)])
def test_every_patch_that_fits_has_a_descriptor(extract, length, cell, step):
    found = extract(noise(), cell, step)
    expected = len(range(2 * cell, 60 - 2 * cell, step)) * len(range(2 * cell, 80 - 2 * cell, step))
    assert found.values.shape == (expected, length)
    assert found.positions.shape == (expected, 2)
    assert found.values.dtype == found.positions.dtype == np.float32
    assert (found.positions > 0).all() and (found.positions < 1).all()


@BOTH
@pytest.mark.parametrize("shape", [(1, 1), (12, 200), (200, 12)])
def test_an_image_that_is_too_small_has_none(extract, length, shape):
    found = extract(noise(0, *shape), 3, 4)
    assert found.values.shape == (0, length)
    assert found.positions.shape == (0, 2)


def test_an_even_image_has_colour_and_no_shape():
    even = np.full((50, 50, 3), (200, 30, 60), np.uint8)
    assert len(dense_sift(even, 4, 5).values) == 0
    rows = local_colour(even, 4, 5).values.reshape(-1, 16, 6)
    lab = cv2.cvtColor(even[:1, :1], cv2.COLOR_RGB2LAB)[0, 0] / 255
    np.testing.assert_allclose(rows[..., :3], np.broadcast_to(lab, rows[..., :3].shape), atol=1e-3)
    np.testing.assert_allclose(rows[..., 3:], 0, atol=1e-2)


@pytest.mark.parametrize("cell", range(2, 12))
def test_cells_lie_side_by_side(cell):
    """Of stripes as wide as a cell there is one place at which every cell sees one stripe alone."""
    levels = np.random.default_rng(cell).integers(0, 256, 40).astype(np.uint8)
    deviations = []
    for moved in range(cell):
        stripes = np.tile(np.repeat(levels, cell)[moved : moved + 8 * cell], (8 * cell, 1))
        rows = local_colour(np.dstack([stripes] * 3), cell, cell).values.reshape(-1, 16, 6)
        deviations.append(rows[..., 3:].max())
    seen_alone, otherwise, *_ = sorted(deviations)
    assert seen_alone < 0.01
    assert otherwise > 0.1


def test_rows_of_shape_have_length_1():
    rows = dense_sift(noise(), 4, 5).values
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    assert rows.min() >= 0


@BOTH
def test_descriptors_are_invariant_to_translation(extract, length):
    large = noise(1, 90, 90)
    here, there = (extract(large[y : y + 70, x : x + 70], 4, 5).values for y, x in ((0, 0), (5, 10)))
    by_row = len(range(8, 70 - 8, 5))
    inner = slice(2, -3)  # away from borders, where filters see another surrounding
    left = here.reshape(by_row, by_row, length)[1:, 2:][inner, inner]
    right = there.reshape(by_row, by_row, length)[:-1, :-2][inner, inner]
    np.testing.assert_allclose(left, right, atol=1e-3)


def test_brightness_and_contrast_change_no_shape():
    image = noise(2)
    changed = (image * 0.5 + 60).astype(np.uint8)
    likeness = (dense_sift(image, 5, 6).values * dense_sift(changed, 5, 6).values).sum(axis=1)
    assert likeness.min() > 0.97


def test_an_edge_points_across_itself():
    edge = np.zeros((40, 40, 3), np.uint8)
    edge[:, 20:] = 255
    row = dense_sift(edge, 4, 4).values.reshape(-1, 16, 8).sum(axis=(0, 1))
    assert row[0] / row.sum() > 0.95  # from dark to light, to the right


def test_it_is_near_opencvs_descriptor_of_the_same_square():
    """OpenCV's weighs by a Gaussian, and wraps and smooths otherwise: near, and nearer than other places' are."""
    image = cv2.GaussianBlur(noise(3, 100, 100), (0, 0), 1.5)
    cell = 6
    found = dense_sift(image, cell, 8)
    points = [cv2.KeyPoint(float(x * 100), float(y * 100), 2 * cell / 3, 0.0) for x, y in found.positions]
    _, theirs = cv2.SIFT_create().compute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), points)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    assert len(theirs) == len(found.values)
    likeness = max(
        (_likeness(found.values, theirs, flip, turn) for flip in (1, -1) for turn in range(8)), key=lambda one: one[0]
    )
    assert likeness[0] > 0.8
    assert likeness[0] > likeness[1] + 0.3


def _likeness(ours, theirs, flip, turn):
    """Mean cosine of the same places and of shuffled ones; directions may be counted from elsewhere."""
    directions = np.roll(theirs.reshape(-1, 16, 8)[..., ::flip], turn, axis=-1).reshape(-1, 128)
    products = ours @ directions.T
    return np.diag(products).mean(), products.mean()
