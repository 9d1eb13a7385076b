"""Weights that others trained, as the start of a base."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING

from art_pipeline.common.progress import parameter
from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import ModelError
from art_pipeline.models.networks.application import NAMED_WEIGHTS, ApplicationOptions
from art_pipeline.models.networks.network import BASE, build_base, names_from_zero

if TYPE_CHECKING:
    import keras

SOURCE = "source.json"


def fetch_weights(options: ApplicationOptions, folder: Path) -> None:
    """Get the weights that a base starts with, and keep them in a folder for `load_start`.

    ``imagenet`` is taken from Keras' own folder, or downloaded by Keras. All are tried on the
    network at once, so that a wrong file, or layer, is found before anything is trained.

    Args:
        options: Whose ``weights`` these are.
        folder: An empty folder.

    Raises:
        ModelError: The file is not there, is not of this network, or cannot be downloaded; or the network
            has not the layers that are asked for.
    """
    source = {"weights": options.weights if options.weights in NAMED_WEIGHTS else Path(options.weights).name}
    if options.weights != "random":
        file = _imagenet_file(options) if options.weights == "imagenet" else _named_file(options)
        source |= {"file": file.name, "md5": md5(file.read_bytes(), usedforsecurity=False).hexdigest()}
        _load_file(options, file).save_weights(folder / BASE)
    elif options.feature_layers:
        build_base(options)  # finds those that there are not
    (folder / SOURCE).write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")


def load_start(base: "keras.Model", folder: Path) -> None:
    """Give a base the weights that `fetch_weights` kept; random ones it has already."""
    if (folder / BASE).exists():
        base.load_weights(folder / BASE)


def _named_file(options: ApplicationOptions) -> Path:
    file = user_path(options.weights)
    if not file.is_file():
        raise ModelError(
            f"{parameter('weights')}: there is no file {options.weights!r}. Give the path of a file of Keras "
            f"weights (.h5) of {options.kind}, or imagenet, or random."
        )
    return file


def _imagenet_file(options: ApplicationOptions) -> Path:
    """One of Keras' two files, without the top or with it, from its folder; else the first, downloaded."""
    folder = _keras_home() / "models"
    files = [folder / name for _, name in sorted(options.WEIGHT_FILES.items())]
    for file in files:
        if file.is_file():
            return file
    try:
        options.build_application(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception where there is no network
        raise ModelError(
            f"The ImageNet weights of {options.kind} cannot be downloaded ({error}). Put {files[0].name} or "
            f"{files[1].name} into {folder}, or set {parameter('weights')} to the file's path, or to random."
        ) from error
    return files[0]


def _keras_home() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))


def _load_file(options: ApplicationOptions, file: Path) -> "keras.Model":
    """A base with the weights of a file, of whichever of Keras' formats."""
    with names_from_zero():
        whole = options.build_whole()
    base = options.cut(whole)
    with _as_wrong_file(options, file):
        layers = _older_layers(file)
        if layers is None:
            _load_newer(base, whole, file)
        else:
            top = layers > sum(bool(layer.weights) for layer in whole.layers)
            whole.set_weights(_older_weights(options, file, top))
    return base


def _load_newer(base: "keras.Model", whole: "keras.Model", file: Path) -> None:
    """The weights of a whole base, or of one that ended where this one does."""
    try:
        whole.load_weights(file)
    except ValueError:
        if base is whole:
            raise
        base.load_weights(file)


def _older_weights(options: ApplicationOptions, file: Path, top: bool) -> list:
    """The whole base's part of a file of the format before Keras 3, with the top of the network or without."""
    whole = options.build_application(include_top=top, weights=None, **({} if top else {"pooling": "avg"}))
    whole.load_weights(file)
    return whole.get_weights()[:-2] if top else whole.get_weights()  # the top's kernel and bias come last


@contextmanager
def _as_wrong_file(options: ApplicationOptions, file: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{parameter('weights')}: {file} is no file of {options.kind}'s weights: {reason}") from error


def _older_layers(file: Path) -> int | None:
    """How many layers a file of the format before Keras 3 has weights of; None for a later one."""
    import h5py

    with h5py.File(file, "r") as content:
        group = content.get("model_weights", content)
        if "layer_names" not in group.attrs:
            return None
        return sum(len(group[name].attrs["weight_names"]) > 0 for name in group.attrs["layer_names"])
