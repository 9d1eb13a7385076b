"""Weights from ONNX files, which the tests write."""

import sys

import numpy as np
import pytest

from art_pipeline.errors import ModelError
from art_pipeline.features.networks.application import names_from_zero
from art_pipeline.features.networks.onnx_weights import read_onnx
from art_pipeline.features.networks.weights import fetch_weights, load_start
from art_pipeline.models.networks.network import build

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.usefixtures("keras")
KERNELS = {"Conv2D": (3, 2, 0, 1), "DepthwiseConv2D": (2, 3, 0, 1)}


def write_onnx(model, path, *, named=True, change=lambda _, weights: weights, head=True):
    """Write convolutions and batch normalizations as ONNX operations, without what is between them."""
    from onnx import helper, numpy_helper

    nodes, constants, last = [], [], "pixels"
    for number, layer in enumerate(one for one in model.layers if one.weights):
        kind = type(layer).__name__
        name = f"model/{layer.name}_1" if named else f"node{number}"
        weights = {weight.name: np.asarray(weight) for weight in layer.weights}
        if "kernel" in weights:
            weights["kernel"] = weights["kernel"].transpose(KERNELS[kind])
        weights = change(layer.name, weights)
        constants += [numpy_helper.from_array(array, f"{name}/{key}") for key, array in weights.items()]
        operation = "Conv" if kind in KERNELS else kind
        nodes.append(helper.make_node(operation, [last, *(f"{name}/{key}" for key in weights)], [f"{name}:0"]))
        last = f"{name}:0"
    if head:
        constants.append(numpy_helper.from_array(np.ones((3, 2), np.float32), "dense"))
        nodes.append(helper.make_node("MatMul", [last, "dense"], ["out"]))
    graph = helper.make_graph(nodes, "network", [], [], constants)
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.fixture
def donor(tiny, randomise):
    with names_from_zero():
        return randomise(tiny().build_whole())


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("named", [True, False])
def test_a_base_starts_with_the_weights_of_an_onnx_file(tiny, donor, tmp_path, named):
    options = tiny(weights=str(write_onnx(donor, tmp_path / "donor.onnx", named=named)))
    (tmp_path / "weights").mkdir()
    fetch_weights(options, tmp_path / "weights")
    base, _ = build(options, 3)
    load_start(base, tmp_path / "weights")
    same(base.get_weights(), donor.get_weights())


def test_depthwise_kernels_and_branches_are_found_by_name(keras, randomise, tmp_path):
    from keras import layers

    pixels = keras.Input((8, 8, 3))
    x = layers.DepthwiseConv2D(3, use_bias=False, name="depth")(pixels)
    y = layers.DepthwiseConv2D(3, use_bias=False, name="depth_1")(pixels)
    model = randomise(keras.Model(pixels, layers.Add()([x, y])))
    same(read_onnx(model, write_onnx(model, tmp_path / "two.onnx")), model.get_weights())
    with pytest.raises(ValueError, match="does not name its layers as Keras does, and the network has branches"):
        read_onnx(model, write_onnx(model, tmp_path / "unnamed.onnx", named=False))


def cut(name, weights):
    return {key: array[:2] for key, array in weights.items()} if name == "late" else weights


def fold(name, weights):
    return weights | {"bias": np.zeros(3, np.float32)} if name == "plain" else weights


def test_weights_of_another_shape_are_refused_with_the_layer(tiny, donor, tmp_path):
    path = write_onnx(donor, tmp_path / "cut.onnx", change=cut)
    with pytest.raises(
        ModelError, match=rf"{path} is not a weight file of tiny: kernel of late has the shape .*\(3, 3, 6, 2\)"
    ):
        fetch_weights(tiny(weights=str(path)), tmp_path)


def test_a_folded_batch_normalization_is_refused(keras, tmp_path):
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.Conv2D(3, 3, use_bias=False, name="plain")(pixels))
    with pytest.raises(ValueError, match="plain has a bias: batch normalization is folded"):
        read_onnx(model, write_onnx(model, tmp_path / "folded.onnx", change=fold))


def test_a_shorter_network_and_a_broken_file_are_refused(keras, tiny, tmp_path):
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.Conv2D(3, 3, name="plain")(pixels))
    path = write_onnx(model, tmp_path / "short.onnx")
    with pytest.raises(ModelError, match="it has 1 layers with weights, and the network 4"):
        fetch_weights(tiny(weights=str(path)), tmp_path)
    path.write_bytes(b"no ONNX at all")
    with pytest.raises(ModelError, match="is not a weight file of tiny: it is not an ONNX file"):
        fetch_weights(tiny(weights=str(path)), tmp_path)


def test_the_missing_package_is_named(tiny, tmp_path, monkeypatch):
    (tmp_path / "some.onnx").touch()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match=r"needs onnx: run make setup, or pip install"):
        fetch_weights(tiny(weights=str(tmp_path / "some.onnx")), tmp_path)
