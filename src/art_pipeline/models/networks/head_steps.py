"""Steps of a head on features. Those that use Keras prepare it first and import it afterwards."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from art_pipeline.common.arrays import Floats
from art_pipeline.common.files import clear_folder
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.features.store import FeatureStore, GlobalFeatures
from art_pipeline.models.family import Step, by_name
from art_pipeline.models.features import StoredExtractors, as_extractor_options, feature_inputs, open_stores
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.networks.steps import draw_history, work_fingerprint
from art_pipeline.models.networks.trained_head import TrainedHead
from art_pipeline.models.predictions import predict_splits
from art_pipeline.models.training.features import ExampleFeatures
from art_pipeline.models.training.images import Examples
from art_pipeline.models.training.train import CHECKPOINT, TrainingData, check_kind, train_head
from art_pipeline.tasks.options import TaskOptions


def head_steps(options: HeadOptions) -> list[Step]:
    """Return the steps of training and prediction; a head on augmented images reads their features too."""
    fixed = {"options": "params:options", "compute": "params:compute"}
    stores, task = feature_inputs(options.features), {"task": "params:task", "max_side": "params:download.max_side"}
    more = by_name("augmentation") | _augmented_inputs(options) if options.augmented else {}
    more |= by_name("costs") if options.training.reads_costs else {}
    return [
        Step(train, by_name("manifest") | fixed | stores | task | more, "model", "train", "train"),
        Step(predict, by_name("manifest", "model") | fixed | stores, "predictions", "predict", "predict"),
        Step(draw_history, ["model"], ["history", "learning_curves_figure"], "draw_history", "evaluate"),
    ]


def train(  # noqa: PLR0913, PLR0917 - inputs of a step
    manifest: pd.DataFrame,
    options: HeadOptions,
    compute: ComputeOptions,
    max_side: int,
    task: TaskOptions,
    augmentation: pd.DataFrame | None = None,
    costs: bytes | None = None,
    **features: Any,
) -> Callable[[Path], None]:
    """Train on the splits of ``train_on``, with early stopping by the held-out validation split."""
    check_kind(options, task.kind)
    stores = open_stores(options.features, features)
    generated, augmented = _generated(options, augmentation, features)
    originals = _examples(manifest[manifest["split"].isin(options.train_on)])
    held_out = _examples(manifest[manifest["split"].eq("validation") & options.validated])
    read = ExampleFeatures(GlobalFeatures(stores), augmented, generated.names)
    data = TrainingData(originals, generated, held_out, max_side, features=read, kind=task.kind, costs=costs)
    extractors = StoredExtractors.of(dict(zip(options.features, stores, strict=True)))
    folders = [store.folder for store in (*stores, *(augmented.stores if augmented else ()))]
    more = [costs.decode()] if costs else []
    work = work_fingerprint(options, compute, data.training + data.validation, folders, task.kind, *more)

    def fill(folder: Path) -> None:
        prepare_keras(compute)
        clear_folder(folder, keep={CHECKPOINT})
        train_head(data, options, extractors, folder, work)

    return fill


def predict(
    manifest: pd.DataFrame, model: Path, options: HeadOptions, compute: ComputeOptions, **features: Any
) -> pd.DataFrame:
    """Predict all images from their features."""
    prepare_keras(compute)
    classifier, stored = TrainedHead.load(model), GlobalFeatures(open_stores(options.features, features))

    def probabilities_of(rows: pd.DataFrame) -> Floats:
        parts = stored.parts_of(rows["object_id"].tolist())
        probabilities: Floats = np.concatenate([classifier.probabilities_from_features(part) for part in parts])
        return probabilities

    return predict_splits(manifest, classifier.classes, classifier.thresholds, probabilities_of, options.train_on)


def _examples(rows: pd.DataFrame) -> Examples:
    return Examples(tuple(map(str, rows["object_id"])), tuple(rows["label"]))


def _augmented_inputs(options: HeadOptions) -> dict[str, str]:
    return {f"augmented_{name}": f"features.{name}.augmented.{options.task}" for name in options.features}


def _generated(
    options: HeadOptions, augmentation: pd.DataFrame | None, features: Mapping[str, Any]
) -> tuple[Examples, GlobalFeatures | None]:
    """Return the augmented images, and their features."""
    if not options.augmented or augmentation is None:
        return Examples(), None
    stores = [FeatureStore(features[f"augmented_{name}"]) for name in options.features]
    for name, store in zip(options.features, stores, strict=True):
        store.require_config(as_extractor_options(features[f"options_{name}"]).config())
    return Examples(tuple(augmentation["image"]), tuple(augmentation["label"])), GlobalFeatures(stores)
