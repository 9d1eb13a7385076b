"""Steps of a network. Those that use Keras prepare it first and import it afterwards."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.arrays import Floats
from art_pipeline.common.files import clear_folder
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.evaluation.figures.learning_curves import plot_learning_curves
from art_pipeline.features.networks.weights import fetch_weights
from art_pipeline.images.standardize import image_path
from art_pipeline.models.family import Step, by_name
from art_pipeline.models.networks.application import ApplicationOptions
from art_pipeline.models.networks.family import KerasFamily, NetworkOptions
from art_pipeline.models.networks.network import Network, read_history
from art_pipeline.models.predictions import predict_splits
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples, decode_all
from art_pipeline.models.training.train import CHECKPOINT, TrainingData, check_kind, train_network
from art_pipeline.tasks.options import TaskOptions

# Options that decide how long training runs, or what follows it: a checkpoint stays valid when they change.
DURATION = {"epochs", "patience", "checkpoint_every", "log_every", "calibrate"}


def network_steps(options: NetworkOptions) -> list[Step]:
    """Return the steps of a network; pretrained weights are fetched first."""
    fixed = {"options": "params:options", "compute": "params:compute"}
    task = {"task": "params:task"}
    images = by_name("manifest", "images", *(["augmentation", "augmented_images"] if options.augmented else []))
    initial = options.initial_weights
    costs = by_name("costs") if options.training.reads_costs else {}
    train_inputs = images | initial | fixed | task | costs | {"max_side": "params:download.max_side"}
    predict_inputs = by_name("manifest", "images", "model") | fixed
    steps = [
        Step(train, train_inputs, "model", "train", "train"),
        Step(predict, predict_inputs, "predictions", "predict", "predict"),
        Step(draw_history, ["model"], ["history", "learning_curves_figure"], "draw_history", "evaluate"),
    ]
    if "weights" in initial:
        steps.append(Step(fetch, fixed, "weights", "fetch_weights", "train"))
    return steps


def fetch(options: ApplicationOptions, compute: ComputeOptions) -> Callable[[Path], None]:
    """Fetch the initial weights of the base; see `fetch_weights`."""
    prepare_keras(compute)
    return partial(fetch_weights, options)


def train(  # noqa: PLR0913, PLR0917 - inputs of a step
    manifest: pd.DataFrame,
    images: Path,
    options: NetworkOptions,
    compute: ComputeOptions,
    max_side: int,
    task: TaskOptions,
    weights: Path | None = None,
    start: Path | None = None,
    costs: bytes | None = None,
    **generated: Any,
) -> Callable[[Path], None]:
    """Train on the splits of ``train_on``, with early stopping by the held-out validation split."""
    check_kind(options, task.kind)
    prepare_keras(compute)
    originals = Examples.of(manifest[manifest["split"].isin(options.train_on)], images)
    held_out = Examples.of(manifest[manifest["split"].eq("validation") & options.validated], images)
    made = _generated(options, **generated)
    data = TrainingData(originals, made, held_out, max_side, weights, start, kind=task.kind, costs=costs)
    read = [one for one in (images, weights, start, *_folders(generated)) if one]
    more = [costs.decode()] if costs else []
    work = work_fingerprint(options, compute, data.training + data.validation, read, task.kind, *more)

    def fill(folder: Path) -> None:
        clear_folder(folder, keep={CHECKPOINT})
        train_network(data, options, compute.cache_megabytes, folder, work)

    return fill


def predict(
    manifest: pd.DataFrame,
    images: Path,
    model: Path,
    options: NetworkOptions,
    compute: ComputeOptions,
) -> pd.DataFrame:
    """Predict all images."""
    prepare_keras(compute)
    network = Network.load(model)

    def probabilities_of(rows: pd.DataFrame) -> Floats:
        return network.probabilities(decode_all(Examples.of(rows, images).paths, options.outer_sides))

    return predict_splits(manifest, network.classes, network.thresholds, probabilities_of, options.train_on)


def draw_history(model: Path) -> tuple[pd.DataFrame, bytes]:
    """Return the training history, and its learning curves as PNG."""
    history = read_history(model)
    return history, plot_learning_curves(history)


def _generated(
    options: NetworkOptions, augmentation: pd.DataFrame | None = None, augmented_images: Path | None = None
) -> Examples:
    if not options.augmented or augmentation is None or augmented_images is None:
        return Examples()
    names, labels = augmentation["image"], augmentation["label"]
    return Examples(tuple(names), tuple(labels), tuple(image_path(augmented_images, name) for name in names))


def _folders(generated: dict[str, Any]) -> list[Path]:
    return [one for one in generated.values() if isinstance(one, Path)]


def work_fingerprint(
    options: KerasFamily, compute: ComputeOptions, examples: Examples, read: list[Path], *more: str
) -> str:
    """Return the fingerprint of a training: of all inputs but those that decide how long it runs."""
    duration = DURATION - {"epochs"} if options.training.spans_epochs else DURATION
    blocks = [
        options.model_dump(mode="json", exclude={"training": duration, "thresholds": True, "decide": True}),
        compute.model_dump(mode="json", exclude={"cache_megabytes"}),
        {"more": more},
    ]
    return fingerprint(options.REQUIREMENTS, blocks, examples, read)
