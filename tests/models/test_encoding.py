"""Descriptors to one vector, against what the papers' formulas say one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from art_pipeline.errors import ModelError
from art_pipeline.features.dense import LocalDescriptors
from art_pipeline.models.svm.encoding import Codebook, encode, fit_codebook

ENCODINGS = ("histogram", "vlad", "fisher", "moments")


def descriptors(seed, n=400, width=6):
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 3, (4, width))
    rows = centres[rng.integers(4, size=n)] + rng.normal(0, 0.5, (n, width))
    return LocalDescriptors(rows.astype(np.float32), rng.uniform(0, 1, (n, 2)).astype(np.float32))


@pytest.fixture(scope="module")
def codebook():
    return fit_codebook(descriptors(0), components=4, position=0.5, words=4, seed=0)


def posteriors(rows, book):
    """By the density of each Gaussian, in float64."""
    rows, logs = rows.astype(np.float64), []
    for weight, centre, variance in zip(book.weights, book.means, book.variances, strict=True):
        exponent = ((rows - centre) ** 2 / variance + np.log(2 * np.pi * variance)).sum(axis=1)
        logs.append(np.log(weight) - 0.5 * exponent)
    densities = np.exp(np.array(logs).T)
    return densities / densities.sum(axis=1, keepdims=True)


def normalised(vector):
    rooted = np.sign(vector) * np.sqrt(np.abs(vector))
    return rooted / max(np.linalg.norm(rooted), 1e-9)


def by_formula(rows, book, encoding):
    rows = rows.astype(np.float64)
    nearest = ((rows[:, None] - book.means[None]) ** 2).sum(axis=2).argmin(axis=1)
    if encoding == "histogram":
        return np.bincount(nearest, minlength=len(book.means)).astype(float)
    if encoding == "vlad":
        return np.concatenate([(rows[nearest == k] - centre).sum(axis=0) for k, centre in enumerate(book.means)])
    if encoding == "moments":
        apart = rows - rows.mean(axis=0)
        skew = np.cbrt((apart**3).mean(axis=0))
        return np.concatenate([rows.mean(axis=0), rows.std(axis=0), skew])
    shares, means, spreads = posteriors(rows, book), [], []
    weights = (shares - book.weights).mean(axis=0) / np.sqrt(book.weights)
    for k, (weight, centre, variance) in enumerate(zip(book.weights, book.means, book.variances, strict=True)):
        off = (rows - centre) / np.sqrt(variance)
        means.append((shares[:, k, None] * off).sum(axis=0) / (len(rows) * np.sqrt(weight)))
        spreads.append((shares[:, k, None] * (off**2 - 1)).sum(axis=0) / (len(rows) * np.sqrt(2 * weight)))
    return np.concatenate([weights, *means, *spreads])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("n", [1, 50, 5000])
def test_it_is_what_the_formula_says(codebook, encoding, n):
    image = descriptors(1, n)
    expected = normalised(by_formula(codebook.project(image), codebook, encoding))
    # Roots magnify what float32 leaves of a value that is 0.
    np.testing.assert_allclose(encode(image, codebook, encoding, (1,)), expected, atol=5e-3)


@pytest.mark.parametrize(("encoding", "numbers"), [("histogram", 4), ("vlad", 24), ("fisher", 52), ("moments", 18)])
@pytest.mark.parametrize("regions", [(1,), (1, 2), (3,)])
def test_its_size_and_length(codebook, encoding, numbers, regions):
    vector = encode(descriptors(2), codebook, encoding, regions)
    assert vector.shape == (numbers * sum(n * n for n in regions),)
    assert vector.dtype == np.float32
    parts = vector.reshape(sum(n * n for n in regions), -1)
    np.testing.assert_allclose(np.linalg.norm(parts, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_quarter_is_encoded_by_itself(codebook, encoding):
    image = descriptors(3)
    left, right, *_ = np.split(encode(image, codebook, encoding, (2,)), 4)
    inside = (image.positions < 0.5).all(axis=1)
    alone = encode(LocalDescriptors(image.values[inside], image.positions[inside]), codebook, encoding, (1,))
    np.testing.assert_array_equal(left, alone)
    assert not np.array_equal(left, right)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_image_without_descriptors_is_zeros(codebook, encoding):
    none = LocalDescriptors(np.empty((0, 6), np.float32), np.empty((0, 2), np.float32))
    assert not encode(none, codebook, encoding, (1, 2)).any()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), encoding=st.sampled_from(ENCODINGS))
def test_the_order_of_descriptors_does_not_matter(codebook, seed, encoding):
    image, order = descriptors(seed, 60), np.random.default_rng(seed).permutation(60)
    shuffled = LocalDescriptors(image.values[order], image.positions[order])
    vectors = [encode(one, codebook, encoding, (1,)) for one in (image, shuffled)]
    np.testing.assert_allclose(*vectors, atol=5e-3)


def test_the_mixture_fits_as_well_as_scikit_learns(codebook):
    rows = codebook.project(descriptors(0))
    theirs = GaussianMixture(4, covariance_type="diag", random_state=0, n_init=3).fit(rows)
    ours = GaussianMixture(4, covariance_type="diag")
    ours.weights_, ours.means_, ours.covariances_ = codebook.weights, codebook.means, codebook.variances
    ours.precisions_cholesky_ = 1 / np.sqrt(codebook.variances)
    assert ours.score(rows) > theirs.score(rows) - 0.05
    assert codebook.weights.sum() == pytest.approx(1, abs=1e-5)


def test_its_axes_are_the_principal_ones(codebook):
    rows = descriptors(0).values
    _, _, right = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(np.diag(right[:4] @ codebook.pca_axes)), 1, atol=1e-3)
    assert codebook.pca_axes.shape == (6, 4)


def test_without_position_places_do_not_matter():
    book = fit_codebook(descriptors(0), components=6, position=0, words=3, seed=0)
    image = descriptors(1)
    moved = LocalDescriptors(image.values, image.positions[::-1])
    np.testing.assert_array_equal(encode(image, book, "fisher", (1,)), encode(moved, book, "fisher", (1,)))
    assert book.means.shape == (3, 6)


def test_it_is_the_same_again_and_after_being_stored(codebook, tmp_path):
    again = fit_codebook(descriptors(0), components=4, position=0.5, words=4, seed=0)
    codebook.save(tmp_path)
    loaded = Codebook.load(tmp_path)
    for name, value in vars(codebook).items():
        np.testing.assert_array_equal(getattr(again, name), value)
        np.testing.assert_array_equal(getattr(loaded, name), value)


def test_too_few_descriptors_are_an_error():
    with pytest.raises(ModelError, match="7 descriptors, too few for 4 words"):
        fit_codebook(descriptors(0, 7), components=4, position=1, words=4, seed=0)
