"""The convolutional network of any stack of layers, and random crops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.networks.cnn import CnnOptions, ConvolutionOptions
from art_pipeline.models.networks.network import build
from art_pipeline.models.training.images import decode
from art_pipeline.models.training.train import TrainingData, _batches

pytestmark = pytest.mark.usefixtures("keras")
CONVOLUTIONS = st.builds(
    ConvolutionOptions,
    filters=st.integers(1, 3),
    size=st.integers(1, 4),
    stride=st.integers(1, 2),
    padding=st.sampled_from(["same", "valid"]),
    pooling=st.integers(0, 3),
)


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_study_d_is_two_convolutions_two_poolings_and_three_dense_layers_on_grey_images():
    stack = [
        {"filters": 6, "size": 5, "padding": "valid", "pooling": 2},
        {"filters": 16, "size": 5, "padding": "valid", "pooling": 2},
    ]
    options = CnnOptions(image_size=225, colour="grey", convolutions=stack, dense=[120, 84])
    base, head = build(options, 10)
    assert kinds(base).count("Conv2D") == kinds(base).count("MaxPooling2D") == 2
    assert kinds(head).count("Dense") == 3
    assert next(layer for layer in base.layers if layer.weights).kernel.shape == (5, 5, 1, 6)  # of one channel
    assert base.output_shape == (None, 53 * 53 * 16)


@given(st.lists(CONVOLUTIONS, min_size=1, max_size=3), st.integers(1, 14), st.integers(1, 14))
def test_a_stack_is_built_or_refused_before_training(convolutions, height, width):
    try:
        options = CnnOptions(image_size=(height, width), convolutions=convolutions, dense=[])
    except ValidationError as error:
        assert "is too small for the stack: convolution" in str(error)
        sides = (height, width)
        for one in convolutions:
            sides = tuple(one.shrink(side) for side in sides)
            if min(sides) < 1:
                return
        raise AssertionError("there is something left") from error
    sides = (height, width)
    for one in convolutions:
        sides = tuple(one.shrink(side) for side in sides)
    base = options.build_base()
    assert base.output_shape == (None, sides[0] * sides[1] * convolutions[-1].filters)
    assert base(np.zeros((1, height, width, 3), np.float32)).shape[0] == 1


def test_a_grey_network_sees_the_luma():
    base, _ = build(CnnOptions(image_size=4, colour="grey", convolutions=[{"filters": 2}], dense=[]), 2)
    rng = np.random.default_rng(0)
    coloured = rng.uniform(0, 255, (3, 4, 4, 3)).astype(np.float32)
    luma = np.repeat(coloured @ np.array([[0.2989], [0.5870], [0.1140]], np.float32), 3, axis=-1)
    np.testing.assert_allclose(base(coloured), base(luma), rtol=1e-3, atol=1e-3)
    assert np.ptp(np.asarray(base(coloured))) > 0


@pytest.mark.parametrize("sides", [(8, 8), (10, 9)])
def test_training_crops_at_random_and_prediction_from_the_centre(coloured, sides):
    data = TrainingData(coloured(2), coloured(0), coloured(1, seed=1, first=50), 30)
    options = CnnOptions(image_size=8, crop_from=sides, convolutions=[{"filters": 2}], training={"batch_size": 9})
    training, validation = _batches(data, options, ("blau", "grün", "rot"), 0)
    whole = [decode(path, sides) for path in data.validation.paths]
    centre = [(outer - 8) // 2 for outer in sides]
    expected = [one[centre[0] : centre[0] + 8, centre[1] : centre[1] + 8] for one in whole]
    np.testing.assert_array_equal(validation[0][0], expected)
    np.testing.assert_array_equal([options.resize(one) for one in whole], expected)
    epochs = []
    for epoch in range(4):
        training.start_with(epoch)
        epochs.append(training[0][0][np.argsort(training._order)])
    assert epochs[0].shape == (6, 8, 8, 3)
    assert (sides == (8, 8)) == all(np.array_equal(epochs[0], one) for one in epochs[1:])
    for position, path in enumerate(data.training.paths):
        windows = np.lib.stride_tricks.sliding_window_view(decode(path, sides), (8, 8, 3)).reshape(-1, 8, 8, 3)
        assert all((windows == one[position]).all(axis=(1, 2, 3)).any() for one in epochs)
    training.start_with(0)
    np.testing.assert_array_equal(training[0][0][np.argsort(training._order)], epochs[0])


def test_a_crop_of_more_than_there_is_is_refused():
    with pytest.raises(ValidationError, match=r"crop_from \(80, 60\) is smaller than image_size 67"):
        AlexNetOptions(crop_from=(80, 60), image_size=67)
