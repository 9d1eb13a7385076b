"""Initial weights of a base: random, ImageNet, or from a file."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from art_pipeline.common.progress import parameter
from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import ModelError
from art_pipeline.features.networks.application import NAMED_WEIGHTS, Application, names_from_zero
from art_pipeline.features.networks.onnx_weights import read_onnx

if TYPE_CHECKING:
    import keras

BASE, SOURCE, ONNX = "base.weights.h5", "source.json", ".onnx"


def fetch_weights(options: Application, folder: Path) -> None:
    """Fetch the initial weights of a base, and store them in a folder for `load_start`.

    ``imagenet`` is read from Keras' cache folder, or downloaded by Keras. The weights are loaded into the
    network at once, so that a wrong file or layer is found before training.

    Args:
        options: Options of the network.
        folder: An empty folder.

    Raises:
        ModelError: The file does not exist, belongs to another architecture, or cannot be downloaded; or the
            network lacks one of the named layers.
    """
    source = request_of(options)
    if options.weights != "random":
        file = _imagenet_file(options) if options.weights == "imagenet" else _named_file(options)
        source |= {"file": file.name, "md5": _md5(file)}
        _load_file(options, file).save_weights(folder / BASE)
    elif options.named_layers:
        with names_from_zero():
            options.build_base()  # raises where a layer is missing
    (folder / SOURCE).write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")


def request_of(options: Application) -> dict[str, str]:
    """Return the name of the weights; for a file, without its folder, and with its MD5."""
    if options.weights in NAMED_WEIGHTS:
        return {"weights": options.weights}
    return {"weights": Path(options.weights).name, "md5": _md5(_named_file(options))}


def load_start(base: "keras.Model", folder: Path) -> None:
    """Load the weights that `fetch_weights` stored into a base; random weights are those that it has."""
    if (folder / BASE).exists():
        base.load_weights(folder / BASE)


def _named_file(options: Application) -> Path:
    file = user_path(options.weights)
    if not file.is_file():
        raise ModelError(
            f"{parameter('weights')}: there is no file {options.weights!r}. Set it to the path of a Keras weight file "
            f"(.h5, .keras) or an ONNX file of {options.ARCHITECTURE}, to imagenet, or to random."
        )
    return file


def _imagenet_file(options: Application) -> Path:
    """Return a file of Keras' cache folder, without or with the top, or download it."""
    folder = _keras_home() / "models"
    files = [folder / name for name in options.WEIGHT_FILES[options.include_top :]]
    for file in files:
        if file.is_file():
            return file
    try:
        options.build_application(include_top=options.include_top, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception without a connection
        names = " or ".join(one.name for one in files)
        raise ModelError(
            f"The ImageNet weights of {options.ARCHITECTURE} cannot be downloaded ({error}). Put {names} into "
            f"{folder}, or set {parameter('weights')} to the file's path, or to random."
        ) from error
    return files[0]


def _keras_home() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))


def _load_file(options: Application, file: Path) -> "keras.Model":
    """Build a base with the weights of a file of Keras or ONNX."""
    with names_from_zero():
        whole = options.build_whole()
    base = options.cut(whole)
    with _as_wrong_file(options, file):
        if file.suffix == ONNX:
            whole.set_weights(read_onnx(whole, file))
        elif is_zipfile(file) or (layers := _legacy_layers(file)) is None:
            _load_current(base, whole, file)
        else:
            top = options.include_top or layers > sum(bool(layer.weights) for layer in whole.layers)
            whole.set_weights(_legacy_weights(options, file, top)[: len(whole.weights)])  # the top's come last
    return base


def _load_current(base: "keras.Model", whole: "keras.Model", file: Path) -> None:
    """Load the weights of a whole base, or of one that was cut at the same layers."""
    try:
        whole.load_weights(file)
    except ValueError:
        if base is whole:
            raise
        base.load_weights(file)


def _legacy_weights(options: Application, file: Path, top: bool) -> list[NDArray[np.float32]]:
    """Return all weights of a file of the format before Keras 3, with or without the top."""
    whole = options.build_application(include_top=top, weights=None, **({} if top else {"pooling": "avg"}))
    whole.load_weights(file)
    weights: list[NDArray[np.float32]] = whole.get_weights()
    return weights


@contextmanager
def _as_wrong_file(options: Application, file: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{parameter('weights')}: {file} is not a weight file of {options.ARCHITECTURE}"
            f"{' with its top' if options.include_top else ''}: {reason}"
        ) from error


def _legacy_layers(file: Path) -> int | None:
    """Return the number of layers with weights in a file of the format before Keras 3; None for another format."""
    import h5py

    with h5py.File(file, "r") as content:
        group = content.get("model_weights", content)
        if "layer_names" not in group.attrs:
            return None
        return sum(len(group[name].attrs["weight_names"]) > 0 for name in group.attrs["layer_names"])


def _md5(file: Path) -> str:
    return md5(file.read_bytes(), usedforsecurity=False).hexdigest()
