"""The node of a generator."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.common.progress import stage
from art_pipeline.errors import did_you_mean
from art_pipeline.generate.options import GenerateOptions
from art_pipeline.pipelines.analysis.kind import Blocks

PREFIX = "generate_"  # of stages


def generate(
    options: GenerateOptions,
    manifest: pd.DataFrame,
    objects: pd.DataFrame,
    images: Path,
    compute: ComputeOptions,
    store: Path,
) -> Callable[[Path], None]:
    """Train a generator and compare what it generates with real images.

    Args:
        options: The block.
        manifest: Manifest of the task.
        objects: Table of objects.
        images: Folder of standardized images.
        compute: Set-up of Keras.
        store: Folder of the stored features, whose extractor describes generated images too.
    """
    from art_pipeline.features.registry import load_extractor
    from art_pipeline.generate.run import Data, run
    from art_pipeline.generate.selection import select_files

    files = select_files(manifest, objects, images, options)

    def fill(folder: Path) -> None:
        prepare_keras(compute)
        data = Data.read(files, options, compute.cache_megabytes)
        extractor = load_extractor(store)

        def describe(pixels: np.ndarray) -> np.ndarray:
            return np.concatenate(list(extractor.describe(pixels)))

        run(stage().removeprefix(PREFIX), options, data, describe, compute.model_dump(mode="json"), folder)

    return fill


def datasets(_name: str, options: GenerateOptions, _blocks: Blocks) -> dict[str, str]:
    """Return the data sets that the node reads, by argument."""
    return {
        "manifest": f"{options.task}.manifest",
        "objects": "objects",
        "images": "images",
        "compute": "params:compute",
        "store": f"features.{options.features}",
    }


def find_problem(_name: str, options: GenerateOptions, blocks: Blocks) -> str | None:
    """Return which block a generator refers to wrongly; None if it does not."""
    if options.task not in blocks.tasks:
        return f"task cannot be {options.task!r}: there is no such task.{did_you_mean(options.task, blocks.tasks)}"
    if options.features not in blocks.features:
        hint = did_you_mean(options.features, blocks.features)
        return f"features cannot be {options.features!r}: there is no such block of features.{hint}"
    if blocks.features[options.features].LOCAL:
        return f"features cannot be {options.features!r}, which has any number of rows per image: name one with one row"
    return None
