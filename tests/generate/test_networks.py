"""Architectures, differentiable augmentation, and gradients."""

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("keras")


@pytest.mark.parametrize("kind", ["plain", "fastgan"])
@pytest.mark.parametrize("size", [16, 64, 128])
def test_networks_fit_each_other(kind, size, options_of):
    from art_pipeline.generate.networks.build import build

    networks = build(options_of(kind).model_copy(update={"image_size": size}))
    assert networks.generator.output_shape == (None, size, size, 3)
    assert networks.discriminator.input_shape == (None, size, size, 3)
    assert [one.output_shape[1] for one in networks.decoders] == [16 if size == 16 else 32] * len(networks.decoders)
    assert len(networks.decoders) == (2 if kind == "fastgan" else 0)
    for mean, value in zip(networks.average.variables, networks.generator.variables, strict=True):
        assert np.array_equal(mean, value)


def test_a_spectral_convolution_has_norm_one(keras):
    from art_pipeline.generate.networks.layers import SpectralConv2D

    layer = SpectralConv2D(6, 3, padding="same")
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32)
    for _ in range(30):
        layer(images, training=True)
    matrix = np.asarray(layer.kernel).reshape(-1, 6)
    largest = np.linalg.svd(matrix, compute_uv=False)[0]
    plain = keras.ops.conv(images, layer.kernel / largest, padding="same")
    assert np.asarray(layer(images)) == pytest.approx(np.asarray(plain), abs=1e-4)


def test_prediction_does_not_change_the_singular_vector():
    from art_pipeline.generate.networks.layers import SpectralConv2D

    layer = SpectralConv2D(3, 3)
    layer.build((None, 8, 8, 2))
    before = np.array(layer.vector)
    layer(np.ones((1, 8, 8, 2), np.float32), training=False)
    assert np.array_equal(before, layer.vector)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3)).astype(np.float32)


def test_no_change_leaves_images(images):
    from art_pipeline.generate.training.augmentation import COLUMNS, augment

    random = np.full((3, COLUMNS), 0.5, np.float32)
    assert np.asarray(augment(images, random, [])) == pytest.approx(images)
    assert np.asarray(augment(images, random, ["colour", "translation"])) == pytest.approx(images, abs=1e-5)


@pytest.mark.parametrize(("random", "rows", "columns"), [((0.99, 0.5), 2, 0), ((0.0, 0.99), -2, 2)])
def test_a_translation_shifts_by_whole_pixels(random, rows, columns, images):
    from art_pipeline.generate.training.augmentation import augment

    numbers = np.tile(np.array([0.5, 0.5, 0.5, *random, 0.5, 0.5], np.float32), (3, 1))
    shifted = np.asarray(augment(images, numbers, ["translation"]))
    wanted = np.zeros_like(images)
    target = [slice(max(0, by), 16 + min(0, by)) for by in (rows, columns)]
    source = [slice(max(0, -by), 16 - max(0, by)) for by in (rows, columns)]
    wanted[:, target[0], target[1]] = images[:, source[0], source[1]]
    assert shifted == pytest.approx(wanted)


def test_a_cutout_is_half_as_wide(images):
    from art_pipeline.generate.training.augmentation import augment

    found = np.asarray(augment(images, np.full((3, 7), 0.5, np.float32), ["cutout"]))
    assert (found[0] == 0).all(axis=2).sum() == 7 * 7
    assert found[:, 0] == pytest.approx(images[:, 0])


def test_gradients_pass_through_all_changes(images):
    import tensorflow as tf

    from art_pipeline.generate.training.augmentation import augment

    random = np.random.default_rng(1).random((3, 7)).astype(np.float32)
    source = tf.Variable(images)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(augment(source, random, ["colour", "translation", "cutout"]) ** 2)
    assert np.abs(tape.gradient(loss, source).numpy()).max() > 0


def test_gradients_are_those_of_the_loss_and_statistics_are_assigned(keras):
    from art_pipeline.generate.training.gradients import compiled, gradients

    weight, other = keras.Variable([2.0, 3.0]), keras.Variable(0.0, trainable=False)

    def loss():
        other.assign(other.value + 1)
        return keras.ops.sum(weight.value**2), weight.value[0]

    def step(scale):
        (total, first), (found,) = gradients(loss, [weight], [other])
        return total * scale, first, found

    total, first, found = compiled(step, [weight, other])(np.float32(2))
    assert (float(total), float(first)) == (26, 2)
    assert np.asarray(found).tolist() == [4, 6]
    assert float(other.value) == 1
