"""Kernel inception distance, precision and recall, near-copies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.errors import EvaluationError
from art_pipeline.generate.measures.copies import copies_table, find_copies, flat_pixels
from art_pipeline.generate.measures.kid import kernel_distance, subset_distance
from art_pipeline.generate.measures.neighbours import distances, nearest
from art_pipeline.generate.measures.precision_recall import precision_recall


def normal(seed, rows=60, columns=5, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (rows, columns))


def test_the_distance_is_the_definition_over_all_pairs():
    first, second = normal(0, 6), normal(1, 5)
    kernel = lambda x, y: (x @ y / 5 + 1) ** 3  # noqa: E731
    within = [
        np.mean([kernel(x, y) for i, x in enumerate(rows) for j, y in enumerate(rows) if i != j])
        for rows in (first, second)
    ]
    between = np.mean([kernel(x, y) for x in first for y in second])
    assert kernel_distance(first, second) == pytest.approx(sum(within) - 2 * between)


def test_the_distance_is_unbiased():
    found = [kernel_distance(normal(2 * seed, 12), normal(2 * seed + 1, 12)) for seed in range(400)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 20
    assert min(found) < 0


@given(st.floats(0.2, 2))
def test_the_distance_grows_with_a_shift(shift):
    near, far = (kernel_distance(normal(0, 300), normal(1, 300, shift=one)) for one in (shift, 2 * shift + 0.3))
    assert near < far


def test_subsets_are_as_large_as_the_smaller_set_and_repeat():
    first, second = normal(0, 8), normal(1, 30)
    one, again = (subset_distance(first, second, subsets=5, size=100, seed=3) for _ in range(2))
    assert one == again
    assert one.deviation > 0
    assert subset_distance(first, second, subsets=5, size=100, seed=4) != one


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [(normal(0, 1), normal(1), "1 and 60 images"), (normal(0), normal(1, columns=4), "lengths 5 and 4")],
)
def test_sets_that_cannot_be_compared(first, second, told):
    with pytest.raises(EvaluationError, match=told):
        kernel_distance(first, second)


def test_a_set_covers_itself_and_nothing_far_away():
    real = normal(0)
    same = precision_recall(real, real)
    assert (same.precision, same.recall) == (1, 1)
    away = precision_recall(real, real + 100)
    assert (away.precision, away.recall) == (0, 0)


def test_few_modes_have_precision_without_recall():
    real = normal(0, 100)
    found = precision_recall(real, real[np.argsort(distances(real, real)[0])[:5]])
    assert found.precision == 1
    assert found.recall < 0.5


def test_too_few_images_for_neighbours():
    with pytest.raises(EvaluationError, match="There are 3 generated images; 4 are needed"):
        precision_recall(normal(0), normal(1, 3))


def test_distances_are_euclidean():
    first, second = normal(0, 4), normal(1, 3)
    plain = [[np.linalg.norm(x - y) for y in second] for x in first]
    assert distances(first, second) == pytest.approx(np.array(plain))
    assert nearest(first, second).positions.tolist() == np.argmin(plain, axis=1).tolist()
    assert nearest(first, first, same=True).distances.min() > 0


def test_the_nearest_do_not_depend_on_the_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    rows, others = rng.normal(size=(23, 4)), rng.normal(size=(31, 4))
    whole = nearest(rows, others), nearest(rows, rows, same=True)
    monkeypatch.setattr("art_pipeline.generate.measures.neighbours.BLOCK", 7)
    for one, other in zip(whole, (nearest(rows, others), nearest(rows, rows, same=True)), strict=True):
        assert one.positions.tolist() == other.positions.tolist()
        assert one.distances == pytest.approx(other.distances)


def test_copies_and_mirrored_copies_are_found():
    rng = np.random.default_rng(0)
    training, fresh = (rng.integers(0, 256, (40, 8, 8, 3)).astype(np.uint8) for _ in range(2))
    images = np.concatenate([training[3:5], training[7:8, :, ::-1], fresh[:5]])
    rows, mirrored = flat_pixels(training), flat_pixels(training[:, :, ::-1])
    found = find_copies(flat_pixels(images), rows, mirrored)
    assert found.are_copies[:3].all()
    assert found.nearest.positions[:3].tolist() == [3, 4, 7]
    assert found.share == pytest.approx(0.375, abs=0.13)  # a fresh image may come near by chance
    assert not find_copies(flat_pixels(images[2:3]), rows).are_copies[0]


def test_held_out_images_are_near_copies_as_often_as_training_images():
    training, held_out = normal(0, 400, 3), normal(1, 400, 3)
    assert find_copies(held_out, training).share == pytest.approx(0.05, abs=0.03)


def test_pixels_are_compared_by_the_root_mean_square():
    black, white = np.zeros((1, 4, 4, 3), np.uint8), np.full((1, 4, 4, 3), 255, np.uint8)
    assert distances(flat_pixels(black), flat_pixels(white))[0, 0] == pytest.approx(1)


def test_the_table_names_the_nearest_image():
    training = normal(0, 20)
    found = find_copies(training[[4, 9]], training)
    table = copies_table(["a", "b"], found, found, tuple(f"image {one}" for one in range(20)))
    assert table["nearest_by_features"].tolist() == ["image 4", "image 9"]
    assert table["is_near_copy_by_pixels"].all()
