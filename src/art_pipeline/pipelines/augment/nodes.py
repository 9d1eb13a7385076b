"""Nodes of the ``augment`` stage."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.images.augmentation import AugmentOptions, augment_all, plan_augmentation
from art_pipeline.images.standardize import image_path, read_rgb

CLASSES_SHOWN = 6
AUGMENTED_SHOWN = 4


def plan(manifest: pd.DataFrame, augment: AugmentOptions, compute: ComputeOptions) -> pd.DataFrame:
    """Draw the transforms of all augmented images; see `plan_augmentation`."""
    prepare_keras(compute)
    train = _training(manifest)
    return plan_augmentation(train["object_id"], train["label"], augment)


def generate(
    augmentation: pd.DataFrame, images: Path, augment: AugmentOptions, compute: ComputeOptions
) -> Callable[[Path], None]:
    """Write the augmented images; see `augment_all`."""
    prepare_keras(compute)
    return partial(augment_all, augmentation, images, augment)


def draw_distribution(manifest: pd.DataFrame, augmentation: pd.DataFrame) -> bytes:
    """Plot the numbers of original and augmented training images per class, as PNG."""
    from art_pipeline.evaluation.figures.class_counts import plot_augmentation

    tables = {"original": _training(manifest), "generated": augmentation}
    counts = pd.DataFrame({name: table["label"].value_counts() for name, table in tables.items()})
    return plot_augmentation(counts.fillna(0).astype(np.int64).rename_axis("label").sort_index())


def draw_examples(augmentation: pd.DataFrame, images: Path, augmented_images: Path) -> bytes:
    """Plot original images beside augmented ones, as PNG."""
    from art_pipeline.evaluation.figures.examples import plot_augmentation_examples

    return plot_augmentation_examples(list(_examples(augmentation, images, augmented_images)))


def _examples(
    augmentation: pd.DataFrame, images: Path, augmented_images: Path
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield label and images of some classes: the source with the most augmented images, and these."""
    for label, rows in list(augmentation.groupby("label"))[:CLASSES_SHOWN]:
        source = int(rows.groupby("object_id").size().idxmax())
        chosen = rows.loc[rows["object_id"] == source, "image"][:AUGMENTED_SHOWN]
        paths = [image_path(images, source), *(image_path(augmented_images, image) for image in chosen)]
        yield str(label), [read_rgb(path) for path in paths]


def _training(manifest: pd.DataFrame) -> pd.DataFrame:
    return manifest[manifest["split"] == "train"]
