"""``discovery:`` — clusterings of the collection, as a kind of analysis."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.discovery.analysis import analyse
from art_pipeline.discovery.collection import open_collection
from art_pipeline.discovery.options import ClusteringOptions
from art_pipeline.errors import did_you_mean
from art_pipeline.models.features import feature_inputs, open_stores
from art_pipeline.pipelines.analysis.kind import AnalysisKind, Blocks


def run(
    options: Any, objects: pd.DataFrame, images: Path, manifest: pd.DataFrame | None = None, **inputs: Any
) -> Callable[[Path], None]:
    """Cluster the images of a task or of the collection.

    Args:
        options: Options of the block.
        objects: Table of objects.
        images: Folder of standardized images.
        manifest: Manifest of the task; None for every image.
        inputs: Folders of feature stores, and options of their extractors (see `feature_inputs`); and ``compute``, the
            set-up of Keras, where a network describes regions of images.

    Returns:
        Function that fills the folder of the analysis.
    """
    block = ClusteringOptions.model_validate(options)
    names = block.feature_names
    stores = dict(zip(names, open_stores(names, inputs), strict=True))
    wanted = None if manifest is None else manifest["object_id"].tolist()
    if "compute" in inputs:
        prepare_keras(ComputeOptions.model_validate(inputs["compute"]))
    return analyse(open_collection(stores, objects, images, wanted), block)


def datasets(_name: str, options: ClusteringOptions, blocks: Blocks) -> Mapping[str, str]:
    """Return the data sets that a clustering reads."""
    read = {"objects": "objects", "images": "images", **feature_inputs(options.feature_names)}
    if any(name in blocks.features and blocks.features[name].IS_NETWORK for name in options.described):
        read["compute"] = "params:compute"
    return read | ({"manifest": f"{options.task}.manifest"} if options.task else {})


def find_problem(_name: str, options: ClusteringOptions, blocks: Blocks) -> str | None:
    """Return why a block cannot read its task or its features."""
    if options.task and options.task not in blocks.tasks:
        known = ", ".join(blocks.tasks) or "none"
        hint = did_you_mean(options.task, blocks.tasks)
        return f"task cannot be {options.task!r}: there is no such task.{hint} Tasks: {known}."
    for used in options.feature_names:
        if used not in blocks.features:
            known = ", ".join(blocks.features) or "none"
            hint = did_you_mean(used, blocks.features)
            return f"features cannot have {used!r}: there is no such block in features.{hint} Features: {known}."
        if blocks.features[used].LOCAL:
            return f"features cannot have {used!r}: it has any number of rows per image, and a clustering needs one."
    return None


DISCOVERY = AnalysisKind(
    key="discovery",
    what="a clustering",
    options=lambda _: ClusteringOptions,
    run=run,
    datasets=datasets,
    find_problem=find_problem,
    metrics=lambda options: ("clusters", "silhouette", *(f"nmi_{label}" for label in options.labels[:1])),
)
