"""The networks of keras.applications and ResNet-18: as published, and with every way to take features."""

import numpy as np
import pytest
from pydantic import ValidationError

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import seeded
from art_pipeline.features.networks.resnet18 import ResNet18
from art_pipeline.features.registry import EXTRACTORS
from art_pipeline.models.networks.application import ApplicationOptions
from art_pipeline.models.networks.network import build
from art_pipeline.models.registry import FAMILIES, family_of

pytestmark = pytest.mark.usefixtures("keras")

# Without the top: parameters, as Keras' documentation and the papers say, features, and batch normalizations.
ARCHITECTURES = {
    "inception_v3": (21_802_784, 2048, 94),
    "mobilenet_v2": (2_257_984, 1280, 52),
    "mobilenet": (3_228_864, 1024, 27),
    "densenet121": (7_037_504, 1024, 121),
    "resnet18": (11_186_112, 512, 20),
    "resnet50": (23_587_712, 2048, 53),
    "vgg16": (14_714_688, 512, 0),
    "vgg19": (20_024_384, 512, 0),
}
MODULES = {"densenet121": "densenet", "resnet50": "resnet"}  # of keras.applications, where the name differs
FROM_KERAS = [name for name in ARCHITECTURES if name != "resnet18"]


def pixels(number, height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (number, height, width, 3)).astype(np.float32)


def test_every_architecture_is_here_as_an_extractor_and_as_a_model():
    frozen = {name for name, options in EXTRACTORS.items() if issubclass(options, Application)}
    trained = {name for name in FAMILIES if issubclass(family_of(name), ApplicationOptions)}
    assert trained == set(ARCHITECTURES) == frozen - {"efficientnet_lite"}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_network_is_the_published_one_with_our_momentum(name):
    kind = family_of(name)
    size, (parameters, features, normalizations) = kind.MIN_SIZE, ARCHITECTURES[name]
    base = kind(image_size=size, batch_norm_momentum=0.5).build_base()
    momenta = [layer.momentum for layer in base.layers if type(layer).__name__ == "BatchNormalization"]
    assert momenta == [0.5] * normalizations
    assert base.count_params() == parameters
    assert (base.input_shape, base.output_shape) == ((None, size, size, 3), (None, features))
    for wrong in (size - 1, (size, size - 1)):
        with pytest.raises(ValidationError, match=f"a side must be at least {size} pixels"):
            kind(image_size=wrong)


@pytest.mark.parametrize("name", FROM_KERAS)
def test_pixels_are_scaled_as_the_imagenet_weights_expect_them(keras, name):
    options = EXTRACTORS[name](image_size=EXTRACTORS[name].MIN_SIZE)
    batch = pixels(2, *options.sides)
    given = keras.Input((*options.sides, 3))
    module = getattr(keras.applications, MODULES.get(name, name))
    expected = module.preprocess_input(batch.copy())
    np.testing.assert_allclose(keras.Model(given, options.preprocess(given))(batch), expected, rtol=1e-4, atol=1e-3)


def test_resnet18_scales_pixels_as_pytorch_does(keras):
    options = EXTRACTORS["resnet18"]()
    given = keras.Input((4, 4, 3))
    found = np.asarray(keras.Model(given, options.preprocess(given))(pixels(1, 4, 4)))
    expected = (pixels(1, 4, 4) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_block_of_resnet18_adds_its_input(keras):
    """With kernels of 0 in its second part, a block whose input is not negative returns its input."""
    base = EXTRACTORS["resnet18"](image_size=32).build_whole()
    for layer in ("conv2_block1_2_conv", "conv2_block2_2_conv"):
        base.get_layer(layer).kernel.assign(np.zeros((3, 3, 64, 64)))
    outputs = [base.get_layer(name).output for name in ("pool1", "conv2_block1_out", "conv2_block2_out")]
    first, *others = (np.asarray(one) for one in keras.Model(base.input, outputs)(pixels(2, 32, 32)))
    assert first.max() > 0
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_there_are_no_imagenet_weights_of_resnet18():
    with pytest.raises(ValidationError, match="Keras has no ImageNet weights of resnet18: give the path of a file"):
        EXTRACTORS["resnet18"](weights="imagenet")
    assert ResNet18.WEIGHT_FILES == ()


def test_a_network_without_a_top_cannot_keep_it():
    with pytest.raises(ValidationError, match="efficientnet_lite has no top here: set include_top to false"):
        EXTRACTORS["efficientnet_lite"](include_top=True)


def test_images_need_not_be_square(keras):
    """Study E flattens the fifth pooling of VGG-19 at 300 x 400."""
    options = family_of("vgg19")(image_size=[64, 96], feature_layers=["block5_pool"], pooling="flatten")
    base, head = build(options, 5)
    assert base.input_shape == (None, 64, 96, 3)
    assert base.output_shape == (None, 2 * 3 * 512)
    assert head.output_shape == (None, 5)
    large = family_of("vgg19")(image_size=[300, 400], pooling="flatten")
    assert large.build_base().output_shape == (None, 9 * 12 * 512)
    maps = keras.Model(base.input, base.get_layer("block5_pool").output)(pixels(2, 64, 96))
    np.testing.assert_array_equal(base(pixels(2, 64, 96)), np.asarray(maps).reshape(2, -1))


@pytest.mark.parametrize(
    "options",
    [{}, {"layers": ["late", "early"]}, {"deviations": ["early"]}, {"layers": ["late"], "covariances": ["late"]}],
)
def test_flattened_maps_have_all_values_and_blocks_of_their_lengths(keras, frozen_tiny, tmp_path, options):
    frozen = frozen_tiny(pooling="flatten", **options)
    frozen.fetch(tmp_path)
    extractor = frozen.create(tmp_path)
    assert extractor.length == sum(extractor.get_config()["blocks"])
    with seeded(frozen.seed):
        whole = frozen.build_whole()
    names = options.get("layers") or [whole.layers[-2].name]
    images = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    maps = [keras.Model(whole.input, whole.get_layer(name).output)(images[None].astype(np.float32)) for name in names]
    expected = np.concatenate([np.asarray(one).ravel() for one in maps])
    (found,) = extractor.describe([images])
    np.testing.assert_allclose(found[0, : len(expected)], expected, rtol=1e-4, atol=1e-5)


def test_a_kept_top_gives_the_probabilities_of_its_classes(frozen_tiny, tmp_path):
    options = frozen_tiny(include_top=True)
    options.fetch(tmp_path)
    (rows,) = options.create(tmp_path).describe([np.full((12, 12, 3), 7, np.uint8)])
    assert rows.shape == (1, 10)
    assert rows.sum() == pytest.approx(1, abs=1e-5)
    assert EXTRACTORS["mobilenet"](include_top=True, image_size=32).build_base().output_shape == (None, 1000)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (
            {"include_top": True, "pooling": "flatten"},
            "the features of a network with include_top are its probabilities",
        ),
        ({"include_top": True, "layers": ["late"]}, "leave layers empty"),
        ({"aspect": "keep", "pooling": "flatten"}, "set aspect to stretch"),
        ({"aspect": "keep", "include_top": True}, "set aspect to stretch"),
        ({"pooling": "max"}, "'average' or 'flatten'"),
        ({"image_size": "large"}, "image_size"),
    ],
)
def test_features_that_cannot_be_are_refused(frozen_tiny, wrong, why):
    with pytest.raises(ValidationError, match=why):
        frozen_tiny(**wrong)
