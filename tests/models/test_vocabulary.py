import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from art_pipeline.errors import ModelError
from art_pipeline.features.sift import LENGTH
from art_pipeline.features.store import FeatureStore
from art_pipeline.features.update import update_store
from art_pipeline.models.svm import vocabulary as module
from art_pipeline.models.svm.vocabulary import (
    VocabularyOptions,
    fit_vocabulary,
    sample_descriptors,
    weight_histograms,
    word_histograms,
)

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.lists(st.integers(0, 12), min_size=1, max_size=6)
WORDS = arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 8)), elements=st.integers(0, 50).map(float))

IN_ANOTHER_PROCESS = """
import hashlib, sys
from pathlib import Path
from art_pipeline.features.store import FeatureStore
from art_pipeline.models.svm.vocabulary import VocabularyOptions, fit_vocabulary
options = VocabularyOptions(words=12, max_descriptors=900, seed=3)
found = fit_vocabulary(FeatureStore(Path(sys.argv[1])), [1, 2, 3, 4], options)
print(hashlib.md5(found.tobytes()).hexdigest())
"""


class Rows:
    """Extracts the rows of NumPy files."""

    length, dtype, weights = LENGTH, np.dtype(np.uint8), None

    def get_config(self):
        return {}

    def extract(self, files):
        return (("ok", np.load(file)) for file in files)


def store(folder, sets):
    """Descriptors of images by object id."""
    files = {object_id: folder / f"{object_id}.npy" for object_id in sets}
    for object_id, rows in sets.items():
        np.save(files[object_id], rows)
    (folder / "store").mkdir()
    update_store(folder / "store", files, Rows())
    return FeatureStore(folder / "store")


def random_rows(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, LENGTH), dtype=np.uint8)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """Four images of 300 descriptors around ten points, and a fifth without any."""
    points = np.random.default_rng(0).integers(20, 236, (10, LENGTH))
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("descriptors")
    noisy = {
        object_id: (points[rng.integers(0, 10, 300)] + rng.integers(-9, 10, (300, LENGTH))).astype(np.uint8)
        for object_id in (1, 2, 3, 4)
    }
    return store(folder, noisy | {5: np.empty((0, LENGTH), np.uint8)})


@settings(deadline=None, max_examples=20)
@given(COUNTS, st.integers(1, 20), SEEDS)
def test_a_histogram_counts_the_nearest_centres(counts, words, seed):
    rng = np.random.default_rng(seed)
    sets = [rng.integers(0, 256, (count, LENGTH), dtype=np.uint8) for count in counts]
    centres = rng.integers(0, 256, (words, LENGTH)).astype(np.float32)
    found = word_histograms(iter(sets), len(sets), centres)
    assert found.shape == (len(sets), words)
    assert found.dtype == np.float32
    for row, rows in zip(found, sets, strict=True):
        expected = [0] * words
        for one in rows.astype(np.int64):
            expected[int(((centres.astype(np.int64) - one) ** 2).sum(axis=1).argmin())] += 1
        assert row.tolist() == expected


@settings(deadline=None, max_examples=20)
@given(COUNTS, st.integers(1, 40), SEEDS)
def test_the_draw_is_even_over_images_and_each_image_has_its_own(counts, most, seed):
    with tempfile.TemporaryDirectory() as folder:
        sets = {10 * one: random_rows(count, one) for one, count in enumerate(counts, start=1)}
        stored = store(Path(folder), sets)
        ids = list(sets)
        each = most // len(ids)
        found = sample_descriptors(stored, ids, most, seed)
        assert found.dtype == np.uint8
        assert len(found) <= most
        if each:
            assert len(found) == sum(min(each, count) for count in counts)
        # Another image in the place of the last changes nothing before it.
        alone = sample_descriptors(stored, ids[:1], max(1, each), seed)
        np.testing.assert_array_equal(found[: len(alone)], alone)
        rows = {row.tobytes() for one in sets.values() for row in one}
        assert all(row.tobytes() in rows for row in found)


def test_the_sample_of_an_image_does_not_depend_on_the_others(tmp_path):
    stored = store(tmp_path, {one: random_rows(50, one) for one in (1, 2, 3, 4)})
    both = sample_descriptors(stored, [1, 2, 3], 30, seed=0)
    other = sample_descriptors(stored, [4, 3, 1], 30, seed=0)
    np.testing.assert_array_equal(both[:10], other[20:])  # object 1
    np.testing.assert_array_equal(both[20:], other[10:20])  # object 3
    assert not np.array_equal(both, sample_descriptors(stored, [1, 2, 3], 30, seed=1))


def test_descriptors_are_sampled_without_replacement(tmp_path):
    stored = store(tmp_path, {1: random_rows(50, 1)})
    drawn = sample_descriptors(stored, [1], 40, seed=0)
    assert len(np.unique(drawn, axis=0)) == 40


@settings(deadline=None)
@given(WORDS)
def test_frequencies_sum_to_one_and_zeros_stay(counts):
    found = weight_histograms(counts, "frequency")
    assert found.dtype == np.float64
    some = counts.sum(axis=1) > 0
    np.testing.assert_allclose(found.sum(axis=1), some.astype(float), atol=1e-12)
    np.testing.assert_allclose(found * counts.sum(axis=1, keepdims=True), counts, atol=1e-9)


@settings(deadline=None)
@given(WORDS)
def test_hellinger_rows_have_length_one_and_are_roots_of_frequencies(counts):
    found = weight_histograms(counts, "hellinger")
    some = counts.sum(axis=1) > 0
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), some.astype(float), atol=1e-12)
    np.testing.assert_allclose(found**2, weight_histograms(counts, "frequency"), atol=1e-12)


@settings(deadline=None)
@given(WORDS)
def test_counts_are_left_and_nothing_given_is_changed(counts):
    before = counts.copy()
    np.testing.assert_array_equal(weight_histograms(counts, "count"), before)
    weight_histograms(counts, "hellinger")
    np.testing.assert_array_equal(counts, before)


@settings(deadline=None)
@given(WORDS, st.integers(2, 9))
def test_an_image_twice_as_rich_has_the_same_frequencies(counts, times):
    np.testing.assert_allclose(
        weight_histograms(counts * times, "hellinger"), weight_histograms(counts, "hellinger"), atol=1e-9
    )


def test_images_without_key_points_have_rows_of_zeros(described):
    stored = described
    (one,) = stored.rows_of([1])
    centres = np.stack([one[0], one[5]]).astype(np.float32)
    found = word_histograms(stored.rows_of([5, 1]), 2, centres)
    assert found[0].tolist() == [0, 0]
    assert found[1].sum() == 300
    assert weight_histograms(found, "hellinger")[0].tolist() == [0, 0]


def test_words_are_found_where_the_descriptors_are(described):
    stored = described
    options = VocabularyOptions(words=40, max_descriptors=1200, iterations=8)
    found = fit_vocabulary(stored, [1, 2, 3, 4], options)
    assert found.shape == (40, LENGTH)
    assert found.dtype == np.float32
    rows = np.concatenate(list(stored.rows_of([1, 2, 3, 4]))).astype(float)
    nearest = ((rows[:, None] - found[None]) ** 2).sum(axis=2).min(axis=1)
    assert np.median(nearest) < 128 * 40  # noise of ±9 has a variance of 30 in each of 128 places


def test_the_number_of_workers_changes_no_count(described, monkeypatch):
    stored = described
    centres = random_rows(30, 9).astype(np.float32)
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(module, "cpu_count", lambda workers=workers: workers)
        found.append(word_histograms(stored.rows_of([1, 2, 3, 4, 5]), 5, centres).tobytes())
    assert found[0] == found[1]


def test_the_vocabulary_is_the_same_bytes_twice_and_in_another_process(described):
    options = VocabularyOptions(words=12, max_descriptors=900, seed=3)
    here = [fit_vocabulary(described, [1, 2, 3, 4], options).tobytes() for _ in range(2)]
    assert here[0] == here[1]
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(described.folder)]
    there = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert there == hashlib.md5(here[0]).hexdigest()
    other = fit_vocabulary(described, [1, 2, 3, 4], options.model_copy(update={"seed": 4}))
    assert other.tobytes() != here[0]


def test_too_few_descriptors_are_an_error_with_the_numbers(described):
    with pytest.raises(ModelError, match=r"The 2 training images have 300 local .* 301 words\. Lower .*\.words"):
        fit_vocabulary(described, [1, 5], VocabularyOptions(words=301))


@pytest.mark.parametrize("options", [{"words": 1}, {"iterations": 0}, {"seed": -1}, {"seed": 2**32}, {"k": 5}])
def test_options_are_closed_and_in_range(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        VocabularyOptions(**options)
