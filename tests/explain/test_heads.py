"""Maps of a head on the features of a frozen network, alone and beside other features."""

import numpy as np
import pytest
from pydantic import BaseModel

from art_pipeline.errors import ModelError
from art_pipeline.explain.maps import explain
from art_pipeline.explain.network import cut_network, logits
from art_pipeline.explain.options import MethodOptions
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.networks.frozen import FrozenNetwork
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.networks.trained_head import TrainedHead, build_head

CLASSES = ("blue", "green", "red")


class Extractors(BaseModel, arbitrary_types_allowed=True):
    """The extractors of a head, in place of those that are loaded from its folder."""

    extractors: list


@pytest.fixture
def frozen(keras, tmp_path):  # noqa: ARG001 - prepared
    """A function that creates a frozen MobileNetV2 with random weights."""
    from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options

    def create(**options):
        made = FrozenMobileNetV2Options(image_size=64, **options)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        made.fetch(folder)
        return FrozenNetwork(made, folder, None)

    return create


def head_on(*extractors, **options):
    made = HeadOptions(task="t", features=[f"f{i}" for i in range(len(extractors))], standardise=True, **options)
    head = build_head(made, sum(one.length for one in extractors), len(CLASSES), multilabel=False)
    generator = np.random.default_rng(0)
    head.set_weights([generator.uniform(0.5, 1.5, one.shape) for one in head.get_weights()])
    return TrainedHead(CLASSES, 64, made, Extractors(extractors=list(extractors)), head, {}, None)


def test_the_average_of_a_map_and_the_other_features_are_the_score(frozen, pictures):
    network, colours = frozen(), ColourMomentsOptions().create()
    model = head_on(colours, network, colours)
    chosen = np.array([2, 0, 1])
    cut = cut_network(model)
    maps = explain(model, MethodOptions(method="cam")).batch(pictures, chosen)
    before, after = cut.other_features(pictures)
    assert before.shape == after.shape == (3, 9)
    features = np.concatenate([np.concatenate(list(one.describe(pictures))) for one in (colours, network, colours)], 1)
    scores = np.asarray(logits(model.head, features))[np.arange(3), chosen]
    features[:, 9:-9] = 0
    rest = np.asarray(logits(model.head, features))[np.arange(3), chosen]
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), scores - rest, rtol=1e-3, atol=1e-3)
    # Grad-CAM of a linear head on averages is the same without what is negative, per position.
    by_gradients = explain(model, MethodOptions(method="grad_cam", layer=cut.layer)).batch(pictures, chosen)
    np.testing.assert_allclose(by_gradients, np.maximum(maps, 0) / maps[0].size, rtol=1e-3, atol=1e-4)


def test_a_head_on_several_layers_has_a_map_of_each(frozen, pictures):
    model = head_on(frozen(layers=["block_13_expand_relu", "block_6_expand_relu"]))
    shapes = {}
    for layer in ("block_6_expand_relu", "block_13_expand_relu"):
        cam, by_gradients = (
            explain(model, MethodOptions(method=method, layer=layer)).batch(pictures, np.array([0, 1, 2]))
            for method in ("cam", "grad_cam")
        )
        shapes[layer] = cam.shape
        np.testing.assert_allclose(by_gradients, np.maximum(cam, 0) / cam[0].size, rtol=1e-3, atol=1e-4)
    assert shapes == {"block_6_expand_relu": (3, 8, 8), "block_13_expand_relu": (3, 4, 4)}


def test_images_that_keep_their_aspect_ratio_have_maps_of_it(frozen, pictures):
    model = head_on(frozen(aspect="keep"))
    explainer = explain(model)
    assert explainer.network.batch_size == 1
    assert explainer.batch(pictures[1:2], np.array([0])).shape == (1, 4, 3)  # 128 x 96 pixels
    assert [one.shape for one in explainer.maps(pictures, [0, 1, 2])] == [one.shape[:2] for one in pictures]


def test_a_head_without_a_network_is_explained_by_occlusion():
    model = head_on(ColourMomentsOptions().create())
    with pytest.raises(ModelError, match="no convolutional network"):
        explain(model, MethodOptions(method="layer_cam"))
    assert explain(model).options.method == "occlusion"
