import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from art_pipeline.models.svm import kmeans as module
from art_pipeline.models.svm.kmeans import half_squared_norms, kmeans, nearest, shuffle

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(deadline=None, max_examples=20)


def clouds(n, points, seed, size=6):
    """Vectors of whole numbers around some points."""
    stream = np.random.default_rng(seed)
    middles = stream.integers(20, 236, (points, size))
    return (middles[stream.integers(points, size=n)] + stream.integers(-9, 10, (n, size))).astype(np.uint8)


def distance(rows, centres):
    """Mean squared distance to the nearest centre."""
    gaps = rows.astype(float)[:, None] - centres.astype(float)[None]
    return (gaps**2).sum(axis=2).min(axis=1).mean()


@MANY
@given(n=st.integers(1, 200), points=st.integers(1, 8), k=st.integers(1, 20), seed=SEEDS)
def test_the_nearest_is_the_nearest(n, points, k, seed):
    rows, centres = clouds(n, points, seed), clouds(k, points, seed + 1).astype(np.float32)
    gaps = ((rows.astype(np.int64)[:, None] - centres.astype(np.int64)[None]) ** 2).sum(axis=2)
    assert nearest(rows, centres, half_squared_norms(centres)).tolist() == gaps.argmin(axis=1).tolist()


@MANY
@given(n=st.integers(1, 300), seed=SEEDS, iterations=st.integers(1, 4))
def test_a_single_centre_is_the_mean(n, seed, iterations):
    rows = clouds(n, 3, seed)
    np.testing.assert_allclose(kmeans(rows, 1, iterations, seed)[0], rows.mean(axis=0), rtol=1e-5)


@MANY
@given(n=st.integers(20, 300), k=st.integers(1, 20), seed=SEEDS)
def test_centres_stay_among_the_vectors(n, k, seed):
    rows = clouds(n, 5, seed)
    found = kmeans(rows, k, 2, seed)
    assert found.shape == (k, 6)
    assert found.dtype == np.float32
    assert (found >= rows.min(axis=0)).all()
    assert (found <= rows.max(axis=0)).all()


@MANY
@given(n=st.integers(50, 300), k=st.integers(1, 20), seed=SEEDS)
def test_an_iteration_brings_centres_nearer(n, k, seed):
    rows, stream = clouds(n, 5, seed), np.random.default_rng(seed)
    before = rows[:k].astype(np.float32)
    after = module._update(rows, before, stream)
    assert distance(rows, after) <= distance(rows, before) + 1e-3


@MANY
@given(total=st.integers(1, 10**7), centres=st.integers(1, 3000), iterations=st.integers(1, 5))
def test_sample_sizes_grow_to_the_whole(total, centres, iterations):
    stages = list(module._sample_sizes(total, centres, iterations))
    assert stages == sorted(stages)
    assert stages[-1] == total
    assert stages.count(total) == 1
    assert all(stages.count(one) == iterations for one in stages[:-1])


def test_an_empty_cluster_restarts():
    rows = np.repeat(np.array([[0, 0], [9, 9], [50, 50]], np.uint8), 40, axis=0)
    shuffle(rows, 0)
    found = kmeans(rows, 12, 3, 0)  # more centres than there are different vectors
    assert {tuple(one) for one in found.tolist()} == {(0, 0), (9, 9), (50, 50)}


def test_centres_are_as_near_as_those_of_a_library():
    rows, held_out = (clouds(20_000, 40, 0)[part::2] for part in (0, 1))
    peer = KMeans(50, n_init=1, init="random", random_state=0).fit(rows.astype(np.float32)).cluster_centers_
    assert distance(held_out, kmeans(rows, 50, 3, 0)) < 1.15 * distance(held_out, peer)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_workers_changes_no_byte(workers, monkeypatch):
    rows = clouds(70_000, 9, 3)
    expected = kmeans(rows, 30, 1, 5).tobytes()
    monkeypatch.setattr(module, "cpu_count", lambda: workers)
    assert kmeans(rows, 30, 1, 5).tobytes() == expected


def test_another_order_finds_other_centres_and_the_rows_stay():
    found = []
    for seed in (0, 1):
        rows = clouds(500, 9, 3)
        shuffle(rows, seed)
        before = rows.copy()
        found.append(kmeans(rows, 5, 2, 0).tobytes())
        np.testing.assert_array_equal(rows, before)
    assert found[0] != found[1]


def test_the_seed_changes_the_restart():
    rows = clouds(60, 5, 3)
    rows[:8] = rows[0]  # the same centre eight times, of which seven stay without vectors
    assert kmeans(rows, 8, 1, 0).tobytes() != kmeans(rows, 8, 1, 1).tobytes()


@MANY
@given(n=st.integers(1, 200), size=st.integers(1, 40), seed=SEEDS)
def test_shuffled_vectors_are_the_same_vectors(n, size, seed):
    rows = np.random.default_rng(seed).integers(256, size=(n, size), dtype=np.uint8)
    expected = rows[np.random.default_rng(seed).permutation(n)]
    shuffle(rows, seed)
    np.testing.assert_array_equal(rows, expected)
