"""Models that read features: the options that name them, the inputs of their steps, and what a trained model keeps."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, field_validator

from art_pipeline.features.extractor import ExtractorOptions, ImageExtractor
from art_pipeline.features.networks.application import require_unique
from art_pipeline.features.store import EXTRACTOR, WEIGHTS, FeatureStore, read_json
from art_pipeline.models.family import ModelFamily

FOLDER = "features"  # of a trained model
BLOCK = 32  # images that are described at a time


class FeatureFamily(ModelFamily):
    """Options of models that read features.

    Attributes:
        features: Names of blocks of ``features:``. The values of several are concatenated in this order.
    """

    features: tuple[str, ...] = Field(min_length=1)

    @field_validator("features")
    @classmethod
    def _are_unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return require_unique(value, "features")

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of the features."""
        return self.features

    def find_feature_problem(self, features: Mapping[str, ExtractorOptions]) -> str | None:
        """Return why the model cannot read its features: local descriptors have no fixed length."""
        for name, options in features.items():
            if options.LOCAL:
                return (
                    f"{name} ({options.extractor}) has any number of rows per image, and {self.kind} needs one; such "
                    "features are for kind: bow_svm"
                )
        return None


def feature_inputs(names: Iterable[str]) -> dict[str, str]:
    """Return the inputs of a step that reads features, by argument; `open_stores` takes them.

    >>> feature_inputs(["gist"])
    {'store_gist': 'features.gist', 'options_gist': 'params:features.gist'}
    """
    stores = {f"store_{name}": f"features.{name}" for name in names}
    return stores | {f"options_{name}": f"params:features.{name}" for name in names}


def open_stores(names: Iterable[str], inputs: Mapping[str, Any]) -> list[FeatureStore]:
    """Return the stores of features.

    Args:
        names: Names of the features.
        inputs: Folders of stores and options of extractors, as `feature_inputs` names them.

    Raises:
        FeatureError: A store was computed with other options, or by another version of the extractor.
    """
    stores = []
    for name in names:
        stores.append(FeatureStore(inputs[f"store_{name}"]))
        stores[-1].require_config(as_extractor_options(inputs[f"options_{name}"]).config())
    return stores


def as_extractor_options(given: Any) -> ExtractorOptions:
    """Return the options of an extractor; Kedro gives a mapping where no other node of the run has their type."""
    return ExtractorOptions.model_validate(given)


@dataclass(frozen=True)
class StoredExtractors:
    """The extractors of a model's features, with the weights of networks, so that it can predict new images.

    Attributes:
        folders: Folder of a feature store, or of a trained model's copy of its extractor, by the name of the features.
    """

    folders: Mapping[str, Path]

    @cached_property
    def extractors(self) -> list[ImageExtractor]:
        """The extractors, loaded on first use: predicting from stored features does not need Keras."""
        # By name: the code of a model shall not depend on the list of all extractors.
        registry = import_module("art_pipeline.features.registry")
        return [registry.load_extractor(folder) for folder in self.folders.values()]

    @property
    def blocks(self) -> tuple[int, ...]:
        """Lengths of the parts of the features; see `art_pipeline.features.store.FeatureStore.blocks`."""
        configs = [read_json(folder / EXTRACTOR) for folder in self.folders.values()]
        return tuple(length for config in configs for length in config.get("blocks") or [config["length"]])

    def describe(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield (n, length) float32 global features of (height, width, 3) uint8 RGB images, a block at a time."""
        images = iter(images)
        while block := list(islice(images, BLOCK)):
            parts = [np.concatenate(list(one.describe(block))) for one in self.extractors]
            yield np.concatenate(parts, axis=1).astype(np.float32, copy=False)

    def save(self, folder: Path) -> None:
        """Copy the extractors into the folder of a model."""
        for name, source in self.folders.items():
            target = folder / FOLDER / name
            target.mkdir(parents=True)
            shutil.copyfile(source / EXTRACTOR, target / EXTRACTOR)
            if (source / WEIGHTS).is_dir():
                shutil.copytree(source / WEIGHTS, target / WEIGHTS)

    @classmethod
    def of(cls, stores: Mapping[str, FeatureStore]) -> Self:
        """Return the extractors of stores, by the name of the features."""
        return cls({name: store.folder for name, store in stores.items()})

    @classmethod
    def load(cls, folder: Path, names: Iterable[str]) -> Self:
        """Load what `save` wrote.

        Raises:
            FileNotFoundError: An extractor is missing.
        """
        folders = {name: folder / FOLDER / name for name in names}
        for one in folders.values():
            (one / EXTRACTOR).stat()
        return cls(folders)
