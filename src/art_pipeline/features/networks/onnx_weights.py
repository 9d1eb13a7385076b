"""Weights of a network from an ONNX file of the same architecture.

Needs the package ``onnx``: ``pip install ".[onnx]"``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import ModelError

if TYPE_CHECKING:
    import keras

# Names of Keras' weights, in the order of the inputs of an ONNX operation.
WEIGHTS = {"Conv": ("kernel", "bias"), "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance")}
OPERATIONS = {"Conv2D": "Conv", "DepthwiseConv2D": "Conv", "BatchNormalization": "BatchNormalization"}
# Kernels of ONNX are (outputs, inputs, height, width), those of depthwise convolutions (channels, 1, height, width).
TRANSPOSED = {"Conv2D": (2, 3, 1, 0), "DepthwiseConv2D": (2, 3, 0, 1)}

SUFFIXES = ("", *(f"_{number}" for number in range(1, 10)))  # of the layers of a further network in a process


@dataclass(frozen=True)
class _Operation:
    kind: str
    names: frozenset[str]
    weights: Mapping[str, NDArray[np.float32]]


def read_onnx(network: "keras.Model", file: Path) -> list[NDArray[np.float32]]:
    """Return the weights of a network without its top, in Keras' order, from an ONNX file.

    Operations are found by the names of Keras' layers, which exports of Keras keep. Where they are missing, a network
    that is a chain of layers, such as VGG, takes its operations in order; what follows them, a head, is not read.

    Args:
        network: Network of convolutions and batch normalizations.
        file: ONNX file. Its first layer must expect the pixels that the ImageNet weights of Keras expect.

    Raises:
        ModelError: The package ``onnx`` is missing.
        ValueError: The file is not an ONNX file, or holds another architecture.
    """
    layers = [layer for layer in network.layers if layer.weights]
    operations = list(_operations(_read_graph(file)))
    matched = _match_names(layers, operations) or _match_order(network, layers, operations)
    return [array for pair in zip(layers, matched, strict=True) for array in _weights_of(*pair)]


def _read_graph(file: Path) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise ModelError(f'{file} needs onnx: run make setup, or pip install ".[onnx]".') from error
    try:
        return onnx.load(file).graph
    except Exception as error:  # of protobuf, which is a dependency of onnx
        raise ValueError("it is not an ONNX file") from error


def _operations(graph: Any) -> Iterator[_Operation]:
    """Yield the operations with weights in the order in which they are computed, which is that of the file."""
    from onnx.numpy_helper import to_array

    constants = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type in WEIGHTS and node.input[1] in constants:
            stored = [name for name in node.input[1:] if name in constants]
            words = {word for name in (node.name, *stored, *node.output) for word in re.split(r"[/:.]", name)}
            arrays = [to_array(constants[name]).astype(np.float32) for name in stored]
            yield _Operation(node.op_type, frozenset(words), dict(zip(WEIGHTS[node.op_type], arrays, strict=False)))


def _match_names(layers: Sequence[Any], operations: Sequence[_Operation]) -> list[_Operation]:
    """Return the operation of each layer by its name; empty where one is missing or not unique."""
    for suffix in SUFFIXES:
        found = [[one for one in operations if f"{layer.name}{suffix}" in one.names] for layer in layers]
        if all(len(own) == 1 for own in found):
            return [one for (one,) in found]
    return []


def _match_order(
    network: "keras.Model", layers: Sequence[Any], operations: Sequence[_Operation]
) -> Sequence[_Operation]:
    if any(isinstance(layer.input, list) and len(layer.input) > 1 for layer in network.layers):
        raise ValueError("it does not name its layers as Keras does, and the network has branches")
    if len(operations) < len(layers):
        raise ValueError(f"it has {len(operations)} layers with weights, and the network {len(layers)}")
    return operations[: len(layers)]


def _weights_of(layer: Any, operation: _Operation) -> Iterator[NDArray[np.float32]]:
    kind = type(layer).__name__
    wanted = {weight.name: tuple(weight.shape) for weight in layer.weights}
    if OPERATIONS[kind] != operation.kind:
        raise ValueError(f"it has a {operation.kind} in place of {layer.name}")
    if "bias" in operation.weights and "bias" not in wanted:
        raise ValueError(f"{layer.name} has a bias: batch normalization is folded into its kernel. Export it unfolded")
    for name, shape in wanted.items():
        array = operation.weights.get(name, np.empty(0, np.float32))
        if name == "kernel" and array.ndim == len(shape):
            array = array.transpose(TRANSPOSED[kind])
        if array.shape != shape:
            raise ValueError(f"{name} of {layer.name} has the shape {array.shape} in place of {shape}")
        yield array
