"""Nodes of the stages ``features_<name>``."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.distributed.options import FeatureEngineOptions, on_engine
from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.features.store import Extractor
from art_pipeline.features.update import update_store
from art_pipeline.images.standardize import image_path

Fill = Callable[[Path], None]
KERAS_DEFAULTS = ComputeOptions()  # for extractors that are not networks, which ignore them
LOCAL = FeatureEngineOptions()


def fetch(options: ExtractorOptions, compute: ComputeOptions) -> Fill:
    """Fetch the weights of a frozen network; those that are there with the same options are kept."""
    return partial(options.fetch, compute=compute)


def extract_all(
    options: ExtractorOptions,
    images: Path,
    image_table: pd.DataFrame,
    engine: FeatureEngineOptions = LOCAL,
    compute: ComputeOptions = KERAS_DEFAULTS,
    weights: Path | None = None,
) -> Fill:
    """Update the store to all usable images; see `update_store`."""
    usable = image_table.loc[image_table["status"] == "ok", "object_id"]
    files = {object_id: image_path(images, object_id) for object_id in usable.tolist()}
    return _update(files, on_engine(options.create(weights, compute), options, engine, compute))


def extract_selected(
    options: ExtractorOptions,
    images: Path,
    engine: FeatureEngineOptions = LOCAL,
    compute: ComputeOptions = KERAS_DEFAULTS,
    weights: Path | None = None,
    **manifests: pd.DataFrame,
) -> Fill:
    """Update the store to the images in the manifests of all tasks; see `update_store`."""
    selected = {object_id for manifest in manifests.values() for object_id in manifest["object_id"].tolist()}
    files = {object_id: image_path(images, object_id) for object_id in selected}
    return _update(files, on_engine(options.create(weights, compute), options, engine, compute))


def extract_augmented(
    options: ExtractorOptions,
    augmentation: pd.DataFrame,
    augmented_images: Path,
    compute: ComputeOptions = KERAS_DEFAULTS,
    weights: Path | None = None,
) -> Fill:
    """Update a store of a task's augmented images, in which the rows of ``augmentation`` stand for object ids.

    They are computed here: there are few of them, and no remote has them.
    """
    files = {row: image_path(augmented_images, image) for row, image in enumerate(augmentation["image"])}
    return _update(files, options.create(weights, compute))


def _update(files: Mapping[int, Path], extractor: Extractor) -> Fill:
    def fill(folder: Path) -> None:
        update_store(folder, files, extractor)

    return fill
