"""What every extractor has in common: a block of ``features:`` in params.yaml, and the extractor that it creates."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from pydantic import ModelWrapValidatorHandler, model_validator

from art_pipeline.common.concurrency import cpu_count, map_ordered, one_thread_each
from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.common.options import Options
from art_pipeline.errors import StorageError
from art_pipeline.images.standardize import read_rgb


class ImageExtractor(ABC):
    """Computes features of images; an `art_pipeline.features.store.Extractor`.

    Attributes:
        length: Length of a row.
        dtype: Data type of the values.
        weights: Folder of the weights that it needs; None for none.
    """

    length: int
    dtype: np.dtype[Any]
    weights: Path | None = None

    @abstractmethod
    def get_config(self) -> Mapping[str, Any]:
        """Return everything that the features depend on, as JSON values."""

    @abstractmethod
    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield status and (rows, length) values of each image file, in order."""

    @abstractmethod
    def describe(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the (rows, length) values of each (height, width, 3) uint8 RGB image, in order."""


class ExtractorOptions(Options, ABC):
    """Options of an extractor.

    Validated as an abstract class, a block of ``features:`` becomes an instance of the class that its ``extractor``
    names.

    Attributes:
        extractor: A key of `art_pipeline.features.registry.EXTRACTORS`.
        images: ``all`` usable images, or only those that a task has ``selected``.
    """

    LOCAL: ClassVar[bool] = False  # any number of rows per image, in place of one
    IS_NETWORK: ClassVar[bool] = False  # has weights, and is computed with Keras
    VERSION: ClassVar[int] = 1  # to be raised where the same options give other values

    extractor: str
    images: Literal["all", "selected"] = "all"

    @model_validator(mode="wrap")
    @classmethod
    def _validate_by_name(
        cls, values: Any, handler: ModelWrapValidatorHandler["ExtractorOptions"]
    ) -> "ExtractorOptions":
        if not isabstract(cls) or isinstance(values, ExtractorOptions):
            return handler(values)
        # By name: the code of one extractor shall not depend on the list of all.
        registry = import_module("art_pipeline.features.registry")
        options: type[ExtractorOptions] = registry.extractor_class(values["extractor"])
        return options.model_validate(values)

    @abstractmethod
    def create(self, weights: Path | None = None, compute: ComputeOptions | None = None) -> ImageExtractor:
        """Create the extractor.

        Args:
            weights: Folder that `fetch` filled; None where the extractor has no weights.
            compute: Set-up of Keras, which is prepared before it is used, and which `get_config` reports; None where
                features are not stored and Keras is set up already.
        """

    def fetch(self, folder: Path, compute: ComputeOptions | None = None) -> None:
        """Put the weights of a network into a folder."""
        raise NotImplementedError(f"{self.extractor} has no weights.")

    def config(self) -> dict[str, Any]:
        """Return name, version, options and the version of the library that decodes images."""
        options = self.model_dump(mode="json", exclude={"extractor", "images"})
        return {"extractor": self.extractor, "version": self.VERSION, "options": options, "opencv": cv2.__version__}


class PixelOptions(ExtractorOptions):
    """Options of an extractor that needs nothing but an image's pixels."""

    LENGTH: ClassVar[int]
    DTYPE: ClassVar[type[np.generic]] = np.float32

    @abstractmethod
    def describe(self, pixels: np.ndarray) -> np.ndarray:
        """Return the (rows, LENGTH) features of a (height, width, 3) uint8 RGB image."""

    def create(self, weights: Path | None = None, compute: ComputeOptions | None = None) -> ImageExtractor:  # noqa: ARG002
        """Create the extractor."""
        return _PixelExtractor(self)


class _PixelExtractor(ImageExtractor):
    def __init__(self, options: PixelOptions):
        self._options = options
        self.length, self.dtype = options.LENGTH, np.dtype(options.DTYPE)

    def get_config(self) -> Mapping[str, Any]:
        return self._options.config()

    def extract(self, files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
        with one_thread_each():
            yield from map_ordered(self._extract, files, cpu_count())

    def describe(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        return map(self._options.describe, images)

    def _extract(self, file: Path) -> tuple[str, np.ndarray]:
        status, pixels = read_status(file)
        return status, np.empty((0, self.length), self.dtype) if pixels is None else self._options.describe(pixels)


def read_status(file: Path) -> tuple[str, np.ndarray | None]:
    """Return status and (height, width, 3) uint8 RGB pixels of a standardized image; None unless it is ``ok``."""
    try:
        return "ok", read_rgb(file)
    except StorageError:
        return "undecodable" if file.exists() else "missing", None
