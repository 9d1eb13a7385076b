"""Steps of a network. Those that use Keras prepare it first and import it afterwards."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from art_pipeline.common.files import clear_folder
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.evaluation.figures.learning_curves import plot_learning_curves
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.images.augmentation import augmented_path
from art_pipeline.models.family import Step, by_name
from art_pipeline.models.networks.application import ApplicationOptions
from art_pipeline.models.networks.family import NetworkOptions
from art_pipeline.models.networks.features import Features, extract_features
from art_pipeline.models.networks.network import Network, build_base, predict_from_features, read_history
from art_pipeline.models.networks.pretrained import fetch_weights, load_start
from art_pipeline.models.training.fingerprint import fingerprint
from art_pipeline.models.training.images import Examples, decode_all
from art_pipeline.models.training.train import CHECKPOINT, TrainingData, train_network

# Options that decide how long training runs, or what follows it: a checkpoint stays valid when they change.
DURATION = {"epochs", "patience", "checkpoint_every", "calibrate"}


def network_steps(options: NetworkOptions) -> list[Step]:
    """Return the steps of a network; pretrained weights are fetched, and features of a frozen base computed, first."""
    fixed = {"options": "params:options", "compute": "params:compute"}
    images = by_name("manifest", "images", *(["augmentation", "augmented_images"] if options.augmented else []))
    initial = options.initial_weights
    features = by_name("features") if options.frozen else {}
    train_inputs = images | initial | features | fixed | {"max_side": "params:download.max_side"}
    predict_inputs = by_name("manifest", "images", "model") | features | fixed
    steps = [
        Step(train, train_inputs, "model", "train", "train"),
        Step(predict, predict_inputs, "predictions", "predict", "predict"),
        Step(draw_history, ["model"], ["history", "learning_curves_figure"], "draw_history", "evaluate"),
    ]
    if "weights" in initial:
        steps.append(Step(fetch, fixed, "weights", "fetch_weights", "train"))
    if features:
        steps.append(Step(extract, images | initial | fixed, "features", "extract_features", "train"))
    return steps


def fetch(options: ApplicationOptions, compute: ComputeOptions) -> Callable[[Path], None]:
    """Fetch the initial weights of the base; see `fetch_weights`."""
    prepare_keras(compute)
    return partial(fetch_weights, options)


def extract(
    manifest: pd.DataFrame,
    images: Path,
    weights: Path,
    options: NetworkOptions,
    compute: ComputeOptions,
    **generated: Any,
) -> Callable[[Path], None]:
    """Compute the frozen base's features of the images of all splits; see `extract_features`."""
    prepare_keras(compute)
    examples = Examples.of(manifest, images) + _generated(options, **generated)
    work = _fingerprint(options, compute, examples, [weights, images, *_folders(generated)])

    def fill(folder: Path) -> None:
        base = build_base(options)
        load_start(base, weights)
        extract_features(base, examples, options.image_size, folder, work)

    return fill


def train(  # noqa: PLR0913, PLR0917 - inputs of a step
    manifest: pd.DataFrame,
    images: Path,
    options: NetworkOptions,
    compute: ComputeOptions,
    max_side: int,
    weights: Path | None = None,
    start: Path | None = None,
    features: Path | None = None,
    **generated: Any,
) -> Callable[[Path], None]:
    """Train on the splits of ``train_on``, with early stopping by the held-out validation split."""
    prepare_keras(compute)
    originals = Examples.of(manifest[manifest["split"].isin(options.train_on)], images)
    held_out = Examples.of(manifest[manifest["split"].eq("validation") & options.validated], images)
    data = TrainingData(originals, _generated(options, **generated), held_out, max_side, weights, start, features)
    read = [one for one in (images, weights, start, features, *_folders(generated)) if one]
    work = _fingerprint(options, compute, data.training + data.validation, read)

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
    features: Path | None = None,
) -> pd.DataFrame:
    """Predict the test split, from stored features where there are any."""
    prepare_keras(compute)
    examples = Examples.of(manifest[manifest["split"] == "test"], images)
    if features:
        probabilities, classes = predict_from_features(model, Features(features).of(examples.names))
    else:
        network = Network.load(model)
        probabilities = network.probabilities(decode_all(examples.paths, options.image_size))
        classes = network.classes
    return make_predictions([int(name) for name in examples.names], examples.labels, probabilities, classes)


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
    return Examples(tuple(names), tuple(labels), tuple(augmented_path(augmented_images, name) for name in names))


def _folders(generated: dict[str, Any]) -> list[Path]:
    return [one for one in generated.values() if isinstance(one, Path)]


def _fingerprint(options: NetworkOptions, compute: ComputeOptions, examples: Examples, read: list[Path]) -> str:
    # A schedule other than constant spans all epochs, so that their number changes every step.
    duration = DURATION if options.training.schedule == "constant" else DURATION - {"epochs"}
    blocks = [
        options.model_dump(mode="json", exclude={"training": duration}),
        compute.model_dump(mode="json", exclude={"cache_megabytes"}),
    ]
    return fingerprint(options.REQUIREMENTS, blocks, examples, read)
