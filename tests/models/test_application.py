import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.errors import ModelError
from art_pipeline.models.networks.inception_v3 import InceptionV3Options
from art_pipeline.models.networks.mobilenet_v2 import MobileNetV2Options
from art_pipeline.models.networks.network import build, build_base

pytestmark = [
    pytest.mark.usefixtures("keras"),
]


def pixels(number, size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (number, size, size, 3), np.uint8)


def normalisations(model):
    return [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]


def same(first, second):
    return [np.array_equal(one, other) for one, other in zip(first, second, strict=True)]


@pytest.mark.parametrize("trainable", ["all", 1, 4, 7, 8])
def test_so_many_of_the_last_layers_learn(tiny, trainable):
    options = tiny(trainable_layers=trainable)
    base, head = build(options, 3)
    assert len(base.layers) == options.LAYERS
    learning = options.LAYERS if trainable == "all" else min(trainable, options.LAYERS)
    assert [layer.trainable for layer in base.layers] == [False] * (options.LAYERS - learning) + [True] * learning
    assert all(layer.trainable for layer in head.layers)


def test_frozen_layers_stay_as_they_are_while_the_others_learn(keras, tiny, randomise):
    base, head = build(tiny(trainable_layers=2, batch_norm_momentum=0.5), 2)
    randomise(base)
    kept, learnt = base.layers[:-2], base.layers[-2:]
    before = [[np.array(one) for layer in part for one in layer.weights] for part in (kept, learnt, head.layers)]
    model = keras.Model(base.input, head(base.output))
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy")
    for _ in range(2):
        model.train_on_batch(pixels(4, 12).astype(np.float32), np.eye(2)[[0, 1, 0, 1]])
    after = [[np.array(one) for layer in part for one in layer.weights] for part in (kept, learnt, head.layers)]
    assert len(normalisations(base)) > len([layer for layer in learnt if layer in normalisations(base)]) == 1
    assert len(before[0]) == 8
    assert all(same(before[0], after[0]))  # means of batch normalisation, too
    assert not any(same(before[1], after[1]))
    assert not any(same(before[2], after[2]))


@pytest.mark.parametrize(("trainable", "moves"), [("all", True), (1, False)])
def test_batch_normalisation_learns_its_means_where_it_learns(keras, tiny, trainable, moves):
    """By the momentum that was asked for: a quarter of the batch's mean is new."""
    base, head = build(tiny(trainable_layers=trainable, batch_norm_momentum=0.75), 3)
    first = normalisations(base)[0]
    batch, convolved = pixels(6, 12).astype(np.float32), keras.Model(base.input, base.layers[2].output)
    mean = np.asarray(convolved(batch)).mean(axis=(0, 1, 2))
    keras.Model(base.input, head(base.output))(batch, training=True)
    np.testing.assert_allclose(first.moving_mean, 0.25 * mean * moves, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("named", "channels"),
    [(("block_3_expand_relu",), 144), (("block_13_expand_relu", "block_6_expand_relu"), 576 + 192)],
)
def test_features_are_the_averages_of_the_layers_that_are_named(keras, randomise, named, channels):
    options = MobileNetV2Options(task="department", image_size=32, feature_layers=named)
    whole = randomise(options.build_whole())
    base = options.cut(whole)
    batch = pixels(3, 32).astype(np.float32)
    maps = keras.Model(whole.input, {name: whole.get_layer(name).output for name in named})(batch)
    assert len({one.shape[1] for one in maps.values()}) == len(named)  # of different sizes
    expected = np.concatenate([np.asarray(maps[name]).mean(axis=(1, 2)) for name in named], axis=1)
    np.testing.assert_allclose(base(batch), expected, rtol=1e-4, atol=1e-5)
    assert base.output_shape == (None, channels)
    assert options.build_base().count_params() == base.count_params() < whole.count_params()


@pytest.mark.parametrize(("named", "side"), [([], 3), (["early"], 5)])
def test_a_further_convolution_comes_before_the_average(tiny, named, side):
    """As in Zhou et al. 2016; its weights are those of the seed, also where the others come from a file."""
    options = tiny(feature_layers=named, top_filters=4)
    base = build_base(options)
    assert base.output_shape == (None, 4)
    assert base.get_layer("top_convolution").output.shape == (None, side, side, 4)
    kernels = [one.get_layer("top_convolution").get_weights()[0] for one in (base, options.build_base())]
    np.testing.assert_array_equal(*kernels)
    other = build_base(tiny(top_filters=4, feature_layers=named, training={"seed": 1}))
    assert not np.array_equal(other.get_layer("top_convolution").get_weights()[0], kernels[0])


def test_layers_that_none_of_the_named_needs_are_left_out():
    names = [
        layer.name
        for layer in MobileNetV2Options(task="department", image_size=32, feature_layers=["block_6_expand"])
        .build_base()
        .layers
    ]
    assert "block_5_add" in names
    assert not any(name.startswith("block_7") for name in names)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("block_6_expand_rule", " Did you mean 'block_6_expand_relu'?"),
        ("features", ""),
        ("global_average_pooling2d", ""),  # the last one, which is no map
    ],
)
def test_a_layer_that_there_is_not_is_told(name, hint):
    with pytest.raises(ModelError) as told:
        build_base(MobileNetV2Options(task="department", image_size=32, feature_layers=["block_3_expand", name]))
    assert str(told.value) == (
        f"feature_layers cannot hold '{name}': mobilenet_v2 has no layer of this name whose output is a feature "
        f"map.{hint} Keras' summary() of the network lists the layers."
    )


def test_layers_that_keras_numbers_are_found_behind_other_networks():
    options = InceptionV3Options(task="department", image_size=75, feature_layers=["activation_5"])
    assert build_base(options).output_shape == build_base(options).output_shape == (None, 64)


def test_a_layer_gives_its_features_once():
    with pytest.raises(ValidationError, match="feature_layers holds 'one' twice"):
        MobileNetV2Options(task="department", feature_layers=["one", "two", "one"])


@settings(deadline=None, max_examples=4)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_seed_gives_its_weights(tiny, seed, other):
    def weights(seed):
        return [model.get_weights() for model in build(tiny(training={"seed": seed}), 3)]

    first, second = weights(seed), weights(other)
    assert all(same(first[0], weights(seed)[0]) + same(first[1], weights(seed)[1]))
    if seed != other:
        assert not any(np.array_equal(one[0], two[0]) for one, two in zip(first, second, strict=True))


def test_the_start_of_the_head_does_not_depend_on_the_base(tiny):
    class Other(tiny):
        def build_application(self, **settings):
            import keras

            keras.layers.Dense(3).build((None, 3))  # draws once more
            return super().build_application(**settings)

    first, second = build(tiny(), 3), build(Other(), 3)
    assert not np.array_equal(first[0].get_weights()[0], second[0].get_weights()[0])
    assert all(same(first[1].get_weights(), second[1].get_weights()))


def test_a_network_can_override_the_preprocessing(keras, tiny):
    class Halved(tiny):
        def preprocess(self, pixels):
            return keras.layers.Rescaling(0.5)(pixels)

    scales = [kind().build_base().layers[1].scale for kind in (tiny, Halved)]
    assert scales == [1 / 127.5, 0.5]


@pytest.mark.parametrize(
    "options",
    [
        {"trainable_layers": -1},
        {"trainable_layers": "none"},
        {"trainable_layers": 1.5},
        {"batch_norm_momentum": 1},
        {"dropout": 1},
        {"units": 3},
        {"kind": "alexnet"},
    ],
)
def test_options_are_closed_and_in_range(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        InceptionV3Options(task="department", **options)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"start_from": "other", "weights": "imagenet"}, "takes no weights"),
        ({"standardise": True}, "standardise needs the means and variances of a model to start from"),
        ({"top_filters": 8, "pooling": "flatten"}, "top_filters adds a convolution after one layer"),
        ({"top_filters": 8, "feature_layers": ["a", "b"]}, "name at most one of feature_layers"),
        ({"trainable_layers": 0}, "a frozen network is an extractor now"),
    ],
)
def test_a_start_that_cannot_be(wrong, why):
    with pytest.raises(ValidationError, match=why):
        MobileNetV2Options(task="department", image_size=32, **wrong)
