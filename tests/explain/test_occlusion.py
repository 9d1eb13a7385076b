"""Occlusion maps, of any classifier."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.errors import ModelError
from art_pipeline.explain.maps import activation_map, explain
from art_pipeline.explain.occlusion import occlusion_map, patches_of
from art_pipeline.explain.options import MethodOptions, OcclusionOptions


class CornerModel:
    """No network: it predicts by how white the upper left quarter is."""

    classes, thresholds, max_side = ("dark", "white"), None, 64

    def probabilities(self, images):
        shares = np.array([one[: one.shape[0] // 2, : one.shape[1] // 2].mean() / 256 for one in images])
        return np.stack([1 - shares, shares], axis=1)


@pytest.fixture
def corner():
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:16, :16] = 255
    return pixels


def test_the_part_that_decides_is_found(corner):
    found = occlusion_map(CornerModel(), corner, 1, OcclusionOptions())
    assert found.shape == (32, 32)
    assert found[:14, :14].min() > found[18:, 18:].max()
    np.testing.assert_allclose(found[20:, 20:], 0, atol=1e-6)
    np.testing.assert_allclose(occlusion_map(CornerModel(), corner, 0, OcclusionOptions()), -found, rtol=1e-5)


def test_a_model_without_a_network_is_explained_by_occlusion(corner):
    explainer = explain(CornerModel())
    assert (explainer.options.method, explainer.layer) == ("occlusion", "")
    assert activation_map(CornerModel(), corner, "white")[:8, :8].min() > 0.9
    with pytest.raises(ModelError, match=r"no convolutional network, so grad_cam is not possible. Use occlusion"):
        explain(CornerModel(), MethodOptions(method="grad_cam"))
    with pytest.raises(ModelError, match="the layer conv1 is not possible"):
        explain(CornerModel(), MethodOptions(layer="conv1"))


sides, shares = st.integers(1, 300), st.floats(0.05, 1)


@given(sides, sides, shares, shares)
def test_patches_cover_every_pixel(height, width, patch, step):
    covered = np.zeros((height, width), bool)
    patches = patches_of((height, width), OcclusionOptions(patch=patch, step=step))
    for one in patches:
        assert covered[one].size
        covered[one] = True
    assert covered.all()
