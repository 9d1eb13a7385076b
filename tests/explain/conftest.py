import numpy as np
import pandas as pd
import pytest

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.models.networks.cnn import CnnOptions
from art_pipeline.models.networks.network import Network, build

CLASSES = ("blue", "red")
SIZE = 16


@pytest.fixture(scope="session")
def keras():
    prepare_keras(ComputeOptions())
    import keras

    return keras


@pytest.fixture
def network(keras):  # noqa: ARG001 - prepared
    """A function that builds a network of three convolutions with random weights."""

    def create(classes=CLASSES, **options):
        stack = [{"filters": filters, "pooling": 2} for filters in (4, 6)] + [{"filters": 8}]
        known = {"task": "t", "image_size": SIZE, "convolutions": stack, "pooling": "average", "dense": []}
        made = CnnOptions(**{**known, **options})
        base, head = build(made, len(classes))
        return Network(tuple(classes), 64, made, base, head, {"temperature": 1.0}, pd.DataFrame())

    return create


@pytest.fixture
def colours(network):
    """A network whose two maps are the red and the blue channel, from 0 to 1, and whose scores are their averages."""
    made = network(convolutions=[{"filters": 2, "size": 1}])
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[0, 0, 2, 0] = kernel[0, 0, 0, 1] = 1  # blue first
    made.base.set_weights([kernel, np.zeros(2, np.float32)])
    made.head.set_weights([np.array([[2, -1], [-1, 2]], np.float32), np.zeros(2, np.float32)])
    return made


@pytest.fixture
def halves():
    """An image that is red on its left and blue on its right."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[:, : SIZE // 2, 0] = pixels[:, SIZE // 2 :, 2] = 255
    return pixels


@pytest.fixture
def pictures():
    """Three images of several sizes."""
    generator = np.random.default_rng(0)
    return [generator.integers(0, 255, (*size, 3), dtype=np.uint8) for size in ((20, 30), (64, 9), (16, 16))]
