"""EfficientNet-Lite: the architecture of its authors, and their weights."""

import io
import pickle
import runpy
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from art_pipeline.features.networks.efficientnet_lite import FrozenEfficientNetLiteOptions

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "efficientnet_lite.py"


@pytest.fixture(scope="module")
def converter():
    """The script that converts the authors' weights."""
    return SimpleNamespace(**runpy.run_path(str(SCRIPT)))


@pytest.mark.usefixtures("keras")
@pytest.mark.parametrize(
    ("version", "parameters", "blocks"), [(0, 3_413_024, 16), (1, 4_189_344, 21), (2, 4_869_168, 21)]
)
def test_the_architecture_is_that_of_the_authors(version, parameters, blocks):
    base = FrozenEfficientNetLiteOptions(version=version, image_size=64).build_whole()
    assert base.count_params() == parameters  # as many as their weights have without the top
    assert sum(layer.name.endswith("_depthwise") for layer in base.layers) == blocks
    assert base.output_shape == (None, 1280)


def test_imagenet_is_no_name_of_its_weights():
    with pytest.raises(ValidationError, match=r"Convert those of its authors with benchmarks/efficientnet_lite\.py"):
        FrozenEfficientNetLiteOptions(weights="imagenet")


class FloatStorage:
    """Takes the place of torch's class in a written file."""


STORAGE = ("storage", "key")


class _Writer(pickle.Pickler):
    def persistent_id(self, value):
        return ("storage", FloatStorage, "key", "cpu", 6, None) if value == STORAGE else None


def test_a_state_dict_is_read_without_torch(converter):
    """A transposed view keeps the order of its storage."""
    assert converter.read_state(written({"kernel": (0, (2, 3), (1, 2))}))["kernel"].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_other_objects_are_not_loaded(converter):
    stream = io.BytesIO(b"".join(pickle.dumps(one) for one in (1, 2, {}, np.float64)))
    with pytest.raises(pickle.UnpicklingError, match="This is no state dict"):
        converter.read_state(stream)


def test_arrays_have_the_axes_of_keras(converter):
    assert converter.as_keras("_conv_stem.weight", np.zeros((32, 3, 5, 5))).shape == (5, 5, 3, 32)
    assert converter.as_keras("_blocks.0._depthwise_conv.weight", np.zeros((32, 1, 3, 3))).shape == (3, 3, 32, 1)
    assert converter.as_keras("_bn0.bias", np.zeros(32)).shape == (32,)
    names = ["_bn0.num_batches_tracked", "_fc.weight", "_fc.bias", "_bn0.bias"]
    assert [converter.is_used(name) for name in names] == [False, False, False, True]


def written(views):
    """A file of torch's former format with one storage of the numbers 0 to 5."""
    stream = io.BytesIO()
    for one in ("magic", "version", {}):
        pickle.dump(one, stream, protocol=2)
    _Writer(stream, protocol=2).dump(OrderedDict((name, _Tensor(view)) for name, view in views.items()))
    pickle.dump(["key"], stream, protocol=2)
    stream.write(np.int64(6).tobytes() + np.arange(6, dtype="<f4").tobytes())
    stream.seek(0)
    return stream


class _Tensor:
    def __init__(self, view):
        self.view = view

    def __reduce__(self):
        return _rebuild_tensor_v2, (STORAGE, *self.view)


def _rebuild_tensor_v2():
    """Takes the place of torch's function in a written file."""
