import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.discovery.nearest import nearest, unit_rows
from art_pipeline.discovery.similar import index as module
from art_pipeline.discovery.similar.filters import Filters
from art_pipeline.discovery.similar.index import SearchIndex
from art_pipeline.discovery.similar.mix import Mix
from art_pipeline.discovery.similar.options import SimilarOptions
from art_pipeline.discovery.similar.quality import precision_at
from art_pipeline.discovery.similar.smoothing import place, smooth
from art_pipeline.errors import DiscoveryError


def decaying(count, length, seed=0):
    """Rows whose first values are the largest, as those of principal components are."""
    values = np.random.default_rng(seed).normal(size=(count, length)) * np.arange(1, length + 1) ** -0.7
    return unit_rows(values)


@pytest.mark.parametrize("length", [3, 64, 150])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.05])
def test_the_search_is_exact(monkeypatch, length, share):
    monkeypatch.setattr(module, "GROUP", 16)
    rows = decaying(2000, length)
    allowed = np.random.default_rng(1).random(2000) < share
    index = SearchIndex.of(rows)
    expected = nearest(rows[:20], rows, 7, lambda some, part: np.tile(allowed[part], (some.stop - some.start, 1)))
    for number in range(20):
        found = index.nearest(rows[number], 7, allowed)
        assert found.indices.tolist() == expected.indices[number].tolist()
        assert np.allclose(found.similarities, expected.similarities[number], atol=1e-6)


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(1, 80), st.integers(1, 70), st.integers(0, 5))
def test_a_search_returns_the_rows_in_order_of_similarity(count, length, k, seed):
    rows = decaying(count, length, seed)
    found = SearchIndex.of(rows).nearest(rows[0], k)
    assert len(found.indices) == min(k, count) == len(set(found.indices.tolist()))
    assert (np.diff(found.similarities) <= 0).all()
    assert found.similarities[0] == pytest.approx(1)


def test_few_rows_are_compared_in_full_where_the_first_values_say_most():
    rows = decaying(20_000, 256)
    index = SearchIndex.of(rows)
    assert len(index._candidates(rows[5], 10, None)) < 2000


def test_equal_rows_keep_their_order():
    rows = unit_rows(np.ones((3000, 4)))
    assert SearchIndex.of(rows).nearest(rows[0], 3).indices.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("query", "k", "message"),
    [
        (np.ones(4, np.float32), 0, "at least 1"),
        (np.ones(3, np.float32), 1, "3 values, and the works 4"),
        (np.full(4, np.nan, np.float32), 1, "not finite"),
    ],
)
def test_wrong_queries_are_refused(query, k, message):
    with pytest.raises(DiscoveryError, match=message):
        SearchIndex.of(unit_rows(np.ones((2, 4)))).nearest(query, k)


def test_no_works_cannot_be_searched():
    with pytest.raises(DiscoveryError, match="no works"):
        SearchIndex.of(np.empty((0, 4), np.float32))


WORKS = pd.DataFrame(
    {
        "artist": ["Rubens", "Rubens", "", "Monet", ""],
        "object_begin_date": pd.array([1630, 1610, None, 1890, 1500], "Int64"),
        "department": ["Paintings", "Drawings", "Paintings", "", "Drawings"],
    },
    index=pd.Index([11, 12, 13, 14, 15], name="object_id"),
)


@pytest.mark.parametrize(
    ("filters", "query", "expected"),
    [
        (Filters(other_artist=True), 11, [13, 14, 15]),
        (Filters(other_artist=True), 13, [11, 12, 13, 14, 15]),  # an unknown artist may be any
        (Filters(earlier=True), 11, [12, 15]),
        (Filters(same=("department",)), 11, [11, 13]),
        (Filters(same=("object_begin_date",)), 12, [12]),
        (Filters(other_artist=True, earlier=True, same=("department",)), 12, [15]),
    ],
)
def test_filters_leave_out_what_they_say(filters, query, expected):
    assert WORKS.index[filters.allowed(WORKS, WORKS.loc[query])].tolist() == expected


@pytest.mark.parametrize(
    ("filters", "query", "message"),
    [
        (Filters(earlier=True), 13, "13 has no year"),
        (Filters(same=("department",)), 14, "14 has no department"),
        (Filters(same=("object_begin_date",)), 13, "13 has no object_begin_date"),
        (Filters(same=("departmant",)), 11, "Did you mean 'department'"),
    ],
)
def test_a_filter_needs_the_value_of_the_query(filters, query, message):
    with pytest.raises(DiscoveryError, match=message):
        filters.allowed(WORKS, WORKS.loc[query])


def test_an_image_of_a_file_has_nothing_to_filter_by():
    assert Filters().allowed(WORKS, None) is None
    with pytest.raises(DiscoveryError, match="no artist, year or department"):
        Filters(earlier=True).allowed(WORKS, None)


@pytest.mark.parametrize("normalise", ["blocks", "block_length", "length"])
def test_a_mix_is_of_unit_length_and_new_images_join_it(tmp_path, normalise):
    features = np.random.default_rng(0).normal(2, 1, (40, 12)).astype(np.float32)
    mix = Mix.fit(features, [5, 7], SimilarOptions(features=("a",), dimensions=6, normalise=normalise))
    rows = mix.transform(features)
    assert rows.shape == (40, 6)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    mix.save(tmp_path)
    assert np.allclose(Mix.load(tmp_path).transform(features[3:4])[0], rows[3], atol=1e-6)


def test_blocks_have_equal_weight_by_their_length():
    features = np.random.default_rng(0).normal(size=(30, 12)).astype(np.float32)
    options = SimilarOptions(features=("a",), dimensions=None, normalise="block_length")
    rows = Mix.fit(features, [5, 7], options).transform(features * np.repeat([1, 100], [5, 7]))
    assert rows @ rows.T == pytest.approx(
        (unit_rows(features[:, :5]) @ unit_rows(features[:, :5]).T
         + unit_rows(features[:, 5:]) @ unit_rows(features[:, 5:]).T) / 2, abs=1e-5,
    )  # fmt: skip


def test_precision_is_the_share_of_neighbours_with_the_label():
    rows = unit_rows(np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [0.5, 0.6]]))
    labels = pd.Series(["a", "a", "b", "b", "b", ""])
    found = precision_at(rows, labels, np.arange(6), 2)
    # Of a's first: a, b; second: a, b (0.2 and 0 are equally far, or nearly so); b's first: a, a; last two: each other.
    assert found.works == 5 and found.labels == 2
    assert found.value == pytest.approx((0.5 + 0.5 + 0 + 1 + 1) / 5, abs=0.11)
    assert found.low <= found.value <= found.high <= 1
    assert found.best == pytest.approx((0.5 * 2 + 1 * 3) / 5)
    assert found.chance == pytest.approx((2 * 1 / 4 + 3 * 2 / 4) / 5)


def test_near_duplicates_do_not_count_as_neighbours():
    rows = unit_rows(np.array([[1, 0], [1, 0], [1, 0.5], [1, 0.6]]))
    labels = pd.Series(["a", "a", "b", "b"])
    assert precision_at(rows, labels, np.arange(4), 1).value == 1
    assert precision_at(rows, labels, np.array([0, 0, 1, 2]), 1).value == 0.5


def test_precision_needs_two_labelled_works():
    assert precision_at(unit_rows(np.ones((3, 2))), pd.Series(["a", "", None]), np.arange(3), 2) is None


def test_features_are_named_once():
    with pytest.raises(ValueError, match="only once"):
        SimilarOptions.model_validate(json.loads('{"features": ["gist", "gist"]}'))


def test_smoothing_brings_similar_works_together_and_leaves_them_without_rounds():
    rows = decaying(200, 12)
    assert smooth(rows, 4, 0) is rows
    before, after = (nearest(one, one, 5).similarities[:, 1:].mean() for one in (rows, smooth(rows, 4, 2)))
    assert after > before
    assert np.linalg.norm(smooth(rows, 4, 1), axis=1) == pytest.approx(1, abs=1e-5)


def test_a_new_image_is_placed_near_the_work_that_it_equals():
    rows = decaying(300, 12)
    smoothed = smooth(rows, 4, 2)
    places = place(rows[:30], rows, smoothed, 4)
    assert (nearest(places, smoothed, 5).indices == np.arange(30)[:, None]).any(axis=1).mean() > 0.8
