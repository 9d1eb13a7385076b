from itertools import count

import numpy as np
import pytest

from art_pipeline.discovery import nearest as module
from art_pipeline.discovery.nearest import nearest, unit_rows
from art_pipeline.errors import DiscoveryError


@pytest.fixture
def rows():
    return unit_rows(np.random.default_rng(0).normal(size=(50, 6)))


def by_sorting(queries, rows, k):
    return np.argsort(-(queries @ rows.T), axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize(("queries", "block"), [(7, 11), (256, 1 << 14), (3, 1)])
def test_neighbours_in_blocks_are_those_of_sorting_all_similarities(monkeypatch, rows, queries, block):
    monkeypatch.setattr(module, "QUERY_BLOCK", queries)
    monkeypatch.setattr(module, "ROW_BLOCK", block)
    found = nearest(rows[:20], rows, 5)
    assert found.indices.tolist() == by_sorting(rows[:20], rows, 5).tolist()
    assert np.allclose(found.similarities, np.take_along_axis(rows[:20] @ rows.T, found.indices, axis=1))


def test_equally_near_rows_keep_their_order(monkeypatch):
    monkeypatch.setattr(module, "ROW_BLOCK", 4)
    same = unit_rows(np.ones((10, 3)))
    assert nearest(same[:1], same, 6).indices.tolist() == [[0, 1, 2, 3, 4, 5]]


def test_only_allowed_rows_are_neighbours(rows):
    def later(some, part):
        return np.arange(some.start, some.stop)[:, None] < np.arange(part.start, part.stop)

    found = nearest(rows, rows, 3, later)
    assert all((own == -1).all() or own[own >= 0].min() > query for query, own in zip(count(), found.indices))
    assert found.indices[-1].tolist() == [-1] * 3
    assert np.isneginf(found.similarities[-1]).all()


def test_more_neighbours_than_rows_are_all_rows(rows):
    assert nearest(rows[:1], rows[:4], 9).indices.shape == (1, 4)


def test_bad_input(rows):
    with pytest.raises(DiscoveryError, match="Cannot find 0 neighbours"):
        nearest(rows, rows, 0)
    with pytest.raises(DiscoveryError, match="have 6 features, and rows 5"):
        nearest(rows, rows[:, :5], 1)
    rows[3, 2] = np.nan
    with pytest.raises(DiscoveryError, match="image 3 are not finite"):
        unit_rows(rows)
