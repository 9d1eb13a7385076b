"""Activation maps: a case computed by hand, the gradients of Keras' own example, and what is refused."""

import numpy as np
import pytest

from art_pipeline.errors import ModelError
from art_pipeline.explain import activation_maps
from art_pipeline.explain.maps import activation_map, explain, explain_single, scale
from art_pipeline.explain.network import cut_network, find_layer, logits, map_layers, trunk_layers
from art_pipeline.explain.options import MethodOptions

METHODS = ["cam", "grad_cam", "grad_cam_plus_plus", "layer_cam"]


def raw(model, images, chosen, **options):
    return list(explain(model, MethodOptions(**options)).maps(images, chosen))


def test_maps_of_a_network_that_is_computed_by_hand(colours, halves):
    (found,) = raw(colours, [halves], [1], method="cam")
    np.testing.assert_allclose(found, np.where(halves[..., 0], 2.0, -1.0), rtol=1e-6)
    # Both maps have the gradients w / positions everywhere: what Grad-CAM averages, and LayerCAM takes where positive.
    (found,) = raw(colours, [halves], [1], method="grad_cam")
    np.testing.assert_allclose(found, np.where(halves[..., 0], 2 / 256, 0), rtol=1e-6)
    (found,) = raw(colours, [halves], [1], method="layer_cam")
    np.testing.assert_allclose(found, np.where(halves[..., 0], 2 / 256, 0), rtol=1e-6)
    # Grad-CAM++: g is 2/256, the sum of the red map 128, and so alpha 1 / (2 + 128 * 2/256), at 256 positions.
    (found,) = raw(colours, [halves], [1], method="grad_cam_plus_plus")
    np.testing.assert_allclose(found, np.where(halves[..., 0], 2 / (2 + 1), 0), rtol=1e-6)


def test_the_average_of_a_class_activation_map_is_the_score(network, pictures):
    model = network()
    cut = cut_network(model)
    maps = explain(model, MethodOptions(method="cam")).batch(pictures, np.array([0, 1, 1]))
    batch = np.stack([cut.resize(one) for one in pictures]).astype(np.float32)
    scores = np.asarray(logits(model.head, model.base(batch)))
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), scores[np.arange(3), [0, 1, 1]], rtol=1e-4)


def test_grad_cam_is_that_of_keras_example(network, pictures):
    """keras.io/examples/vision/grad_cam: a model with two outputs under a GradientTape, without the last activation."""
    import keras
    import tensorflow as tf

    model = network(pooling="flatten", dense=[5])
    inner = keras.Model(model.base.input, [model.base.get_layer("re_lu_1").output, model.base.output])
    batch = np.stack([model.options.resize(one) for one in pictures]).astype(np.float32)
    with tf.GradientTape() as tape:
        maps, features = inner(batch)
        score = logits(model.head, features)[:, 1]
    weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2))
    theirs = tf.nn.relu(tf.einsum("nhwc,nc->nhw", maps, weights)).numpy()
    ours = explain(model, MethodOptions(method="grad_cam", layer="re_lu_1")).batch(pictures, np.array([1, 1, 1]))
    assert ours.max() > 0
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_map_has_the_size_of_its_image_and_depends_on_no_other_image(network, pictures, method):
    model = network()
    together = raw(model, pictures, [0, 1, 0], method=method)
    assert [one.shape for one in together] == [one.shape[:2] for one in pictures]
    assert all(one.dtype == np.float32 for one in together)
    for pixels, chosen, one in zip(pictures, [0, 1, 0], together, strict=True):
        np.testing.assert_array_equal(raw(model, [pixels], [chosen], method=method)[0], one)


def test_a_map_of_a_single_image_is_the_same(network, pictures):
    model = network()
    single, batched = explain_single(model), explain(model)
    assert single.network.batch_size == 1
    for pixels in pictures:
        (found,), (expected,) = single.maps([pixels], [0]), batched.maps([pixels], [0])
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_layer_beside_a_shortcut_has_gradients_too(keras):
    """The sum of a residual block takes the map before the layer, from the image."""
    from art_pipeline.explain.network import CutNetwork

    pixels = keras.Input((4, 4, 3))
    first = keras.layers.Conv2D(2, 1, name="first")(pixels)
    inside = keras.layers.Conv2D(2, 1, name="inside")(first)
    total = keras.layers.Add(name="total")([first, inside])
    base = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(total))
    head = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])

    class Sized:
        sides, batch_size = (4, 4), 1

    image = np.random.default_rng(1).random((1, 4, 4, 3)).astype(np.float32)
    none = np.empty((1, 0), np.float32)
    cut = CutNetwork(Sized, base, head, "inside")
    scores, gradients = cut.gradients(np.array([2]), cut.maps(image), image, none, none)
    np.testing.assert_allclose(scores, head(base(image)), rtol=1e-4, atol=1e-5)
    kernel = head.layers[0].kernel[:, 2]
    np.testing.assert_allclose(gradients, np.broadcast_to(kernel / 16, (1, 4, 4, 2)), rtol=1e-4)


def test_auto_takes_the_first_method_that_the_model_allows(network):
    assert explain(network()).options.method == "cam"
    assert explain(network(dense=[5])).options.method == "grad_cam"
    assert explain(network(pooling="flatten")).options.method == "grad_cam"


def test_a_part_that_a_central_crop_cuts_off_is_zero(network):
    model = network(crop_from=32)
    (found,) = raw(model, [np.full((64, 40, 3), 90, np.uint8)], [0], method="cam")
    inner = np.s_[16:48, 10:30]
    assert np.all(found[inner] != 0)
    found[inner] = 0
    assert not found.any()


def test_map_layers_are_those_from_the_first_weights(network):
    base = network().base
    assert map_layers(base)[0] == "conv2d"
    assert find_layer(base, None) == map_layers(base)[-1] == "re_lu_2"


def test_the_default_layer_is_on_all_paths_and_fine_enough(keras):
    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(2, 1, name="first")(pixels[..., ::-1])
    side = keras.layers.Conv2D(2, 1, name="side")(x)
    x = keras.layers.Conv2D(2, 2, 8, name="fine")(keras.layers.Add(name="sum")([x, side]) * 2.0)
    x = keras.layers.Conv2D(2, 2, 2, name="coarse")(x)
    base = keras.Model(pixels, keras.layers.GlobalAveragePooling2D(name="average")(x))
    trunk = trunk_layers(base)
    assert [one for one in trunk if one in {"first", "side", "sum", "fine", "coarse"}] == [
        "first",
        "sum",
        "fine",
        "coarse",
    ]
    assert find_layer(base, None, fine=True) == "fine"
    assert find_layer(base, None) == "coarse"


def test_what_is_not_possible_is_refused(network, pictures):
    flat, hidden, averaged = network(pooling="flatten"), network(dense=[5]), network()
    with pytest.raises(ModelError, match="features are averages of feature maps"):
        explain(flat, MethodOptions(method="cam"))
    with pytest.raises(ModelError, match="head without hidden layers"):
        explain(hidden, MethodOptions(method="cam"))
    with pytest.raises(ModelError, match="set layer to one of these"):
        explain(averaged, MethodOptions(method="cam", layer="re_lu"))
    with pytest.raises(ModelError, match=r"no layer 'conv2_d' .* Did you mean 'conv2d'\?"):
        explain(averaged, MethodOptions(layer="conv2_d"))
    with pytest.raises(ModelError, match=r"class 'reds'. Did you mean 'red'\? It knows blue, red"):
        activation_map(averaged, pictures[0], "reds")
    for bad in (pictures[0][..., 0], pictures[0].astype(np.uint16), pictures[0][:0]):
        with pytest.raises(ModelError, match="give \\(height, width, 3\\) uint8"):
            activation_map(averaged, bad, "red")


@pytest.mark.parametrize("size", [(1, 400), (400, 1), (1, 1)])
@pytest.mark.parametrize("method", [*METHODS, "occlusion"])
def test_extreme_aspect_ratios_have_maps(network, size, method):
    found = activation_map(network(), np.full((*size, 3), 200, np.uint8), "red", MethodOptions(method=method))
    assert found.shape == size
    assert 0 <= found.min() <= found.max() <= 1


def test_the_most_probable_class_is_the_default(colours, halves):
    pixels = halves.copy()
    pixels[:, 10:] = 0
    np.testing.assert_array_equal(activation_map(colours, pixels), activation_map(colours, pixels, "red"))


def test_nothing_is_scaled_to_nothing():
    assert not scale(np.full((2, 2), -3, np.float32)).any()


def test_grad_cam_plus_plus_of_maps_without_gradients_is_zero():
    maps = np.ones((1, 2, 2, 3), np.float32)
    assert not activation_maps.grad_cam_plus_plus(maps, np.zeros_like(maps)).any()
