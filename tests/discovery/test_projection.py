import sys

import numpy as np
import pytest

from art_pipeline.discovery.nearest import nearest
from art_pipeline.discovery.options import MapOptions
from art_pipeline.discovery.projection import CollectionMap, fit_map
from art_pipeline.errors import DiscoveryError

GROUPS = np.repeat(np.arange(3), 20)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return (rng.normal(scale=5, size=(3, 8))[GROUPS] + rng.normal(size=(60, 8))).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(rows):
    return fit_map(rows, MapOptions(iterations=100), 0)


def test_similar_images_are_near_and_positions_within_the_unit_square(fitted):
    found = fitted.positions
    assert (found.min(), found.max()) == (0, 1)
    distances = np.linalg.norm(found[:, None] - found, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (GROUPS[distances.argmin(axis=1)] == GROUPS).all()


def test_the_same_map_twice(rows, fitted):
    again = fit_map(rows, MapOptions(iterations=100), 0)
    assert again.positions.tobytes() == fitted.positions.tobytes()


def test_an_image_of_the_collection_is_placed_among_its_neighbours_again(rows, fitted, tmp_path):
    fitted.save(tmp_path)
    placed = CollectionMap.load(tmp_path).place(rows)
    near = nearest(fitted.anchors, fitted.anchors, 5).indices
    assert (placed >= fitted.positions[near].min(axis=1)).all()
    assert (placed <= fitted.positions[near].max(axis=1)).all()


def test_equal_images_and_samples_have_a_map(rows):
    same = np.concatenate([np.repeat(rows[:1], 30, axis=0), rows[20:40]])
    assert np.isfinite(fit_map(same, MapOptions(iterations=20, perplexity=3), 0).positions).all()
    sampled = fit_map(rows, MapOptions(iterations=20, max_images=15), 0)
    assert (len(sampled.positions), len(set(sampled.members))) == (15, 15)


def test_too_few_images(rows):
    with pytest.raises(DiscoveryError, match="at least 10 images, and there are 9"):
        fit_map(rows[:9], MapOptions(), 0)


def test_a_missing_package_is_an_error_with_the_command(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(DiscoveryError, match="pip install"):
        fit_map(rows, MapOptions(), 0)
