import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.features.networks.inference import features_of, in_batches
from art_pipeline.models.networks.alexnet import AlexNetOptions, local_response
from art_pipeline.models.networks.network import build

pytestmark = pytest.mark.usefixtures("keras")
CONVOLUTIONS = [(11, 96, 0), (5, 256, 1), (3, 384, 0), (3, 384, 1), (3, 256, 1)]  # width, filters, biases at first


def by_hand(x, neighbours, k, alpha, beta):
    """The paper's formula, written as it stands there."""
    y, channels = np.empty_like(x), x.shape[-1]
    for i in range(channels):
        first, last = max(0, i - neighbours // 2), min(channels - 1, i + neighbours // 2)
        total = sum(x[..., j] ** 2 for j in range(first, last + 1))
        y[..., i] = x[..., i] / (k + alpha * total) ** beta
    return y


def layers_of(model, name):
    return [layer for layer in model.layers if type(layer).__name__ == name]


@pytest.fixture(scope="module")
def papers(keras):  # noqa: ARG001
    """The network of the paper's size."""
    return build(AlexNetOptions(task="department"), 1000)


@pytest.fixture(scope="module")
def small(keras):  # noqa: ARG001
    return build(AlexNetOptions(task="department", image_size=67, units=8), 3)


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 99),
    st.integers(1, 9),
    st.sampled_from([1, 3, 5, 7]),
    st.floats(0.5, 3),
    st.floats(0, 2),
    st.floats(0.1, 2),
)
def test_response_normalisation_is_the_papers_formula(seed, channels, neighbours, k, alpha, beta):
    x = np.random.default_rng(seed).normal(0, 3, (2, 3, 4, channels)).astype(np.float32)
    found = np.asarray(local_response(x, neighbours, k, alpha, beta))
    np.testing.assert_allclose(found, by_hand(x.astype(np.float64), neighbours, k, alpha, beta), rtol=2e-5, atol=1e-6)


def test_response_normalisation_has_the_papers_constants():
    x = np.random.default_rng(0).normal(0, 100, (1, 2, 2, 12)).astype(np.float32)
    np.testing.assert_allclose(local_response(x), by_hand(x.astype(np.float64), 5, 2, 1e-4, 0.75), rtol=2e-5)


def test_it_has_the_papers_parameters_but_for_its_two_streams(papers):
    base, head = papers
    of_convolutions = sum(
        width * width * before * filters + filters
        for (width, filters, _), before in zip(CONVOLUTIONS, [3, 96, 256, 384, 384], strict=True)
    )
    assert base.count_params() == of_convolutions
    assert base.count_params() + head.count_params() == 62_378_344
    # Whole convolutions where the paper halved them: the second, the fourth and the fifth see twice the channels.
    halves = 5 * 5 * 48 * 256 + 3 * 3 * 192 * 384 + 3 * 3 * 192 * 256
    assert 62_378_344 - halves == 60_965_224  # the paper's 61 million


def test_activities_have_the_papers_shapes(papers):
    base, head = papers
    assert [layer.output.shape[1:] for layer in layers_of(base, "Conv2D")] == [
        (55, 55, 96),
        (27, 27, 256),
        (13, 13, 384),
        (13, 13, 384),
        (13, 13, 256),
    ]
    assert [layer.output.shape[1:3] for layer in layers_of(base, "MaxPooling2D")] == [(27, 27), (13, 13), (6, 6)]
    assert base.output.shape == (None, 6 * 6 * 256)
    assert [layer.units for layer in layers_of(head, "Dense")] == [4096, 4096, 1000]
    assert [layer.rate for layer in layers_of(head, "Dropout")] == [0.5, 0.5]


def test_weights_start_as_the_papers(papers):
    base, head = papers
    for layer, (width, _, bias) in zip(layers_of(base, "Conv2D"), CONVOLUTIONS, strict=True):
        assert layer.kernel_size == (width, width)
        assert_drawn(layer.kernel, layer.bias, bias)
    for layer, bias in zip(layers_of(head, "Dense"), [1, 1, 0], strict=True):
        assert_drawn(layer.kernel, layer.bias, bias)


def assert_drawn(kernel, bias, of_bias):
    kernel, bias = np.asarray(kernel), np.asarray(bias)
    sure = 5 / np.sqrt(kernel.size)  # five deviations of a mean, in deviations of a weight
    assert abs(kernel.mean()) < 0.01 * sure
    assert kernel.std() == pytest.approx(0.01, rel=sure)
    assert np.unique(kernel).size > kernel.size / 100  # drawn, and not repeated from layer to layer
    assert np.abs(kernel).max() > 0.03  # normal, and not cut off
    assert (bias == of_bias).all()


def test_no_two_layers_start_with_the_same_numbers(papers):
    for model in papers:
        assert_drawn_apart(model.weights)


def test_the_head_does_not_start_with_the_numbers_of_the_base(papers):
    assert_drawn_apart([papers[0].weights[0], papers[1].weights[0]])


def assert_drawn_apart(weights):
    """An initialiser that is used twice gives the same numbers twice."""
    firsts = [tuple(np.asarray(one).ravel()[:20]) for one in weights if one.path.endswith("kernel")]
    assert len(set(firsts)) == len(firsts)


def test_the_least_size_leaves_one_place_and_less_is_refused(small):
    assert small[0].output.shape == (None, 256)
    assert layers_of(small[0], "MaxPooling2D")[-1].output.shape == (None, 1, 1, 256)
    with pytest.raises(ValidationError, match=r"image_size\n.* at least 67"):
        AlexNetOptions(task="department", image_size=66)
    with pytest.raises(ValueError, match="output size would be zero or negative"):
        AlexNetOptions.model_construct(image_size=66, normalisation="local_response").build_base()


def test_images_become_probabilities_of_classes(small):
    images = np.random.default_rng(0).integers(0, 256, (3, 67, 67, 3), np.uint8)
    found = in_batches(small[1], features_of(small[0], images), 3)
    assert found.shape == (3, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    assert (found > 0).all()


def test_pixels_are_centred_before_they_are_convolved(small, keras):
    convolution = layers_of(small[0], "Conv2D")[0]
    pixels = np.random.default_rng(0).integers(0, 256, (1, 67, 67, 3)).astype(np.float32)
    found = keras.Model(small[0].input, convolution.output).predict_on_batch(pixels)
    kernel, patch = np.asarray(convolution.kernel), pixels[0, 4:15, 8:19] - 127.5
    expected = np.maximum((patch[..., None] * kernel).sum(axis=(0, 1, 2)), 0)
    np.testing.assert_allclose(found[0, 1, 2], expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("normalisation", ["local_response", "batch"])
def test_the_first_two_convolutions_are_normalised(normalisation):
    base = AlexNetOptions(task="department", image_size=67, normalisation=normalisation).build_base()
    found = layers_of(base, "BatchNormalization")
    assert [layer.output.shape[-1] for layer in found] == ([96, 256] if normalisation == "batch" else [])
    assert [type(one).__name__ for one in base.operations].count("Power") == (0 if found else 2)


def test_all_of_it_learns(small):
    assert len(small[0].trainable_weights) == 10
    assert len(small[1].trainable_weights) == 6


@pytest.mark.parametrize(
    "options", [{"normalisation": "layer"}, {"units": 0}, {"dropout": 1}, {"kind": "vgg"}, {"weights": "imagenet"}]
)
def test_options_are_closed_and_in_range(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        AlexNetOptions(task="department", **options)
