"""Averages and other statistics of named layers of a frozen network, as features.

Intermediate layers transfer better to tasks unlike the original one (Yosinski et al. 2014; Azizpour et al. 2016).
Features of a network trained on other images suit a classifier with few examples (Donahue et al. 2014, "DeCAF";
Razavian et al. 2014, "CNN features off-the-shelf").
"""

import importlib.metadata
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.files import clear_folder
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.errors import FeatureError
from art_pipeline.features.extractor import ExtractorOptions, ImageExtractor, read_status
from art_pipeline.features.networks.application import (
    NAMED_WEIGHTS,
    Application,
    names_from_zero,
    require_unique,
    set_seed,
)
from art_pipeline.features.networks.inference import batch_size, in_batches
from art_pipeline.features.networks.statistics import covariances, deviations
from art_pipeline.features.networks.weights import BASE, SOURCE, fetch_weights, load_start, request_of
from art_pipeline.features.store import AGAIN
from art_pipeline.images.standardize import resize

if TYPE_CHECKING:
    import keras

STRIDE, MIN_SIDE = 32, 96  # pixels: that of the last layers, and what all networks accept


class FrozenOptions(Application, ExtractorOptions):
    """Features of a frozen network: statistics of layers over all positions.

    Attributes:
        layers: Layers, by Keras' names in a new process, whose pooled maps are the features, concatenated in this
            order; none for the last layer. Layers that none of them needs are left out.
        deviations: Layers whose standard deviations over all positions are appended.
        covariances: Layers, of few channels, the covariances of whose channels are appended; see
            `art_pipeline.features.networks.statistics`.
        aspect: ``stretch`` images to ``image_size``; or ``keep`` their aspect ratio at the same area, with sides
            rounded to multiples of 32.
        seed: Seed of random weights.
    """

    LAYERS_KEY = "layers"
    IS_NETWORK = True

    layers: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    covariances: tuple[str, ...] = ()
    aspect: Literal["stretch", "keep"] = "stretch"
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("layers", "deviations", "covariances")
    @classmethod
    def _are_unique(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return require_unique(value, str(info.field_name))

    @model_validator(mode="after")
    def _has_rows_of_one_length(self) -> Self:
        if self.aspect == "keep" and (self.pooling == "flatten" or self.include_top):
            raise ValueError(
                "images of several sizes have no features of one length with pooling: flatten or include_top: set "
                "aspect to stretch"
            )
        return self

    @property
    def named_layers(self) -> tuple[str, ...]:
        """The layers whose pooled maps are features."""
        return self.layers

    @property
    def input_shape(self) -> tuple[int | None, int | None, int]:
        """Height, width and channels of the base's input; None for any."""
        return super().input_shape if self.aspect == "stretch" else (None, None, 3)

    @property
    def batch_size(self) -> int:
        """Images per batch; one where their sizes differ."""
        return batch_size(*self.sides) if self.aspect == "stretch" else 1

    def resize(self, pixels: np.ndarray) -> np.ndarray:
        """Resize a (height, width, 3) uint8 image as the network takes it."""
        if self.aspect == "stretch":
            return super().resize(pixels)
        height, width = pixels.shape[:2]
        return resize(pixels, *bounded_sides(height, width, math.isqrt(math.prod(self.sides))))

    def cut(self, whole: "keras.Model") -> "keras.Model":
        """Cut a whole base at the layers, and compute their statistics; see `Application.cut`."""
        import keras

        pooled = super().cut(whole)
        if not self.deviations + self.covariances:
            return pooled
        parts = [
            *(deviations(x) for _, x in self.find_maps(whole, self.deviations, "deviations")),
            *(covariances(x) for _, x in self.find_maps(whole, self.covariances, "covariances")),
        ]
        features = keras.layers.Concatenate(name="statistics")([pooled.output, *parts])
        return keras.Model(whole.input, features, name="base")

    def blocks_of(self, whole: "keras.Model") -> list[int]:
        """Return the number of features of each statistic of each layer, in order."""
        shapes = {layer.name: layer.output.shape[1:] for layer in whole.layers}
        channels = {name: shape[-1] for name, shape in shapes.items()}
        if self.pooling == "flatten":
            pooled = [math.prod(shapes[name]) for name in self.pooled_layers(whole)]
        else:
            pooled = [channels[name] for name in self.layers] or [whole.output.shape[-1]]
        triangles = [channels[name] * (channels[name] + 1) // 2 for name in self.covariances]
        return [*pooled, *(channels[name] for name in self.deviations), *triangles]

    def create(self, weights: Path | None = None, compute: ComputeOptions | None = None) -> ImageExtractor:
        """Create the extractor, which builds the network when it is used for the first time."""
        if weights is None:
            raise FeatureError(f"The weights of {self.extractor} are missing. {AGAIN}")
        return FrozenNetwork(self, weights, compute)

    def fetch(self, folder: Path, compute: ComputeOptions | None = None) -> None:
        """Put the base's weights into a folder, or keep those that were fetched with the same options.

        Args:
            folder: Folder of the weights.
            compute: Set-up of Keras; None where it is set up already.

        Raises:
            ModelError: See `art_pipeline.features.networks.weights.fetch_weights`.
        """
        options = self.model_dump(mode="json", exclude={"images", "weights"})
        request = {**request_of(self), "options": options, "keras": importlib.metadata.version("keras")}
        file = folder / SOURCE
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if (folder / BASE).exists() and known.get("request") == request:
            return
        if compute:
            prepare_keras(compute)
        clear_folder(folder)
        fetch_weights(self, folder)
        with seeded(self.seed):
            whole = self.build_whole()
        base = self.cut(whole)
        load_start(base, folder)
        base.save_weights(folder / BASE)
        source = json.loads(file.read_text(encoding="utf-8"))
        source |= {"length": base.output_shape[-1], "blocks": self.blocks_of(whole), "request": request}
        file.write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")

    def config(self) -> dict[str, Any]:
        """Return what all extractors report; of a file of weights its name, without the folder."""
        config = super().config()
        config["options"]["weights"] = self.weights if self.weights in NAMED_WEIGHTS else Path(self.weights).name
        return config

    def build_frozen(self) -> "keras.Model":
        """Build the base with the random weights that the seed gives."""
        with seeded(self.seed):
            base = self.build_base()
        base.trainable = False
        return base


class FrozenNetwork(ImageExtractor):
    """Computes the features of a frozen network.

    Images are processed in batches of a fixed size, of which the last is padded: the features of an image depend on
    no other image.

    Args:
        options: Options of the extractor.
        weights: Folder of its weights.
        compute: Set-up of Keras, on which the last digits depend.
    """

    def __init__(self, options: FrozenOptions, weights: Path, compute: ComputeOptions | None):
        self.options, self._compute, self._folder = options, compute, weights
        self._source = json.loads((weights / SOURCE).read_text(encoding="utf-8"))
        self.weights = weights
        self.length, self.dtype = self._source["length"], np.dtype(np.float32)

    @cached_property
    def base(self) -> "keras.Model":
        """The network, built on first use: reading stored features does not need Keras."""
        if self._compute:
            prepare_keras(self._compute)
        with names_from_zero():
            base = self.options.build_base()
        base.load_weights(self._folder / BASE)
        base.trainable = False
        return base

    def get_config(self) -> Mapping[str, Any]:
        """Return name, version and options, the MD5 of the weights' file, and the set-up of Keras."""
        config = self.options.config()
        compute = self._compute.model_dump(mode="json", exclude={"cache_megabytes"}) if self._compute else None
        backend = self._compute.backend if self._compute else "tensorflow"
        versions = {name: importlib.metadata.version(name) for name in ("keras", backend)}
        found = {"md5": self._source.get("md5"), "blocks": self._source["blocks"]}
        return {**config, **found, "compute": compute, "versions": versions}

    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield status and (1, length) float32 of each file, decoded ahead on all cores."""
        images, size = map_ordered(self._decode, files, cpu_count()), self.options.batch_size
        while batch := list(islice(images, size)):
            rows = iter(in_batches(self.base, [pixels for _, pixels in batch if pixels is not None], size))
            for status, pixels in batch:
                yield status, np.empty((0, self.length), self.dtype) if pixels is None else next(rows)[None]

    def describe(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the (1, length) float32 features of each (height, width, 3) uint8 RGB image."""
        size, resized = self.options.batch_size, map(self.options.resize, images)
        while batch := list(islice(resized, size)):
            yield from in_batches(self.base, batch, size)[:, None]

    def _decode(self, file: Path) -> tuple[str, np.ndarray | None]:
        status, pixels = read_status(file)
        return status, None if pixels is None else self.options.resize(pixels)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Keras for the weights of a base, and let it name layers as in a new process."""
    set_seed(seed, stream=0)
    with names_from_zero():
        yield


def bounded_sides(height: int, width: int, size: int) -> tuple[int, int]:
    """Return the sides of an image with about the area of a square, and about its own aspect ratio.

    Args:
        height: Height of the image, in pixels.
        width: Width of the image, in pixels.
        size: Side of the square, in pixels.

    Returns:
        Height and width: multiples of 32, from 96 to twice the side of the square.

    >>> bounded_sides(300, 400, 320)
    (288, 384)
    """
    scale = size / np.sqrt(height * width)
    most = max(MIN_SIDE, 2 * size // STRIDE * STRIDE)
    first, second = (int(np.clip(round(side * scale / STRIDE) * STRIDE, MIN_SIDE, most)) for side in (height, width))
    return first, second
