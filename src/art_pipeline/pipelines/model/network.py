"""Nodes of a network. Those that use Keras prepare it first; it is imported behind that."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import node

from art_pipeline.common.files import clear_folder
from art_pipeline.common.keras_runtime import ComputeOptions, prepare_keras
from art_pipeline.evaluation.figures.learning_curves import plot_learning_curves
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.images.augmentation import augmented_path
from art_pipeline.models.networks.application import ApplicationOptions
from art_pipeline.models.networks.features import Features, extract_features
from art_pipeline.models.networks.network import Network, NetworkOptions, build_base, judge_features, read_history
from art_pipeline.models.networks.pretrained import fetch_weights, load_start
from art_pipeline.models.training.images import Examples, decode_all
from art_pipeline.models.training.train import CHECKPOINT, TrainingData, train_network
from art_pipeline.pipelines.model.examples import fingerprint, originals, same

# How long a training goes on, and what is done after it, change nothing about the epochs behind it.
HOW_LONG = {"epochs", "patience", "checkpoint_every", "calibrate"}


def create_nodes(options: NetworkOptions) -> list:
    """Train and judge; weights from elsewhere are fetched first, and a frozen base's features computed."""
    fixed = {"options": "params:options", "compute": "params:compute"}
    images = same("manifest", "images", *(["augmentation", "augmented_images"] if options.augmented else []))
    start = getattr(options, "start", None)
    weights = same("weights") if isinstance(options, ApplicationOptions) and not start else {}
    begun = {"start": f"{start}.model"} if start else {}
    features = same("features") if options.frozen else {}
    max_side = {"max_side": "params:download.max_side"}
    nodes = [
        node(train, images | weights | begun | features | fixed | max_side, "model", name="train", tags="train"),
        node(
            predict,
            same("manifest", "images", "model") | features | fixed,
            "predictions",
            name="predict",
            tags="predict",
        ),
        node(draw_history, "model", ["history", "learning_curves_figure"], name="draw_history", tags="evaluate"),
    ]
    if weights:
        nodes.append(node(fetch, fixed, "weights", name="fetch_weights", tags="train"))
    if features:
        nodes.append(node(extract, images | weights | fixed, "features", name="extract_features", tags="train"))
    return nodes


def fetch(options: NetworkOptions, compute: ComputeOptions) -> Callable[[Path], None]:
    """Get the weights that the base starts with; see `fetch_weights`."""
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
    """Compute the frozen base's features of all images of all splits; see `extract_features`."""
    prepare_keras(compute)
    examples = originals(manifest, images) + _generated(options, **generated)
    work = _fingerprint(options, compute, examples, [weights, images, *_folders(generated)])

    def fill(folder: Path) -> None:
        base = build_base(options)
        load_start(base, weights)
        extract_features(base, examples, options.image_size, folder, work)

    return fill


def train(  # noqa: PLR0913, PLR0917 - a node's inputs
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
    """Train on the splits that are to be learnt from, and stop by the one that is not; see `train_network`."""
    prepare_keras(compute)
    learnt = originals(manifest[manifest["split"].isin(options.train_on)], images)
    kept = originals(manifest[manifest["split"].eq("validation") & options.validated], images)
    data = TrainingData(learnt, _generated(options, **generated), kept, max_side, weights, start, features)
    read = [one for one in (images, weights, start, features, *_folders(generated)) if one]
    work = _fingerprint(options, compute, data.training + data.validation, read)

    def fill(folder: Path) -> None:
        clear_folder(folder, keep={CHECKPOINT})
        train_network(data, options, compute.memory, folder, work)

    return fill


def predict(
    manifest: pd.DataFrame,
    images: Path,
    model: Path,
    options: NetworkOptions,
    compute: ComputeOptions,
    features: Path | None = None,
) -> pd.DataFrame:
    """Judge the test split, from its features where they are at hand."""
    prepare_keras(compute)
    examples = originals(manifest[manifest["split"] == "test"], images)
    if features:
        probabilities, classes = judge_features(model, Features(features).of(examples.names))
    else:
        network = Network.load(model)
        probabilities = network.probabilities(decode_all(examples.paths, options.image_size))
        classes = network.classes
    return make_predictions([int(name) for name in examples.names], examples.labels, probabilities, classes)


def draw_history(model: Path) -> tuple[pd.DataFrame, bytes]:
    """The table of epochs, and its curves as PNG."""
    history = read_history(model)
    return history, plot_learning_curves(history)


def _generated(
    options: NetworkOptions, augmentation: pd.DataFrame | None = None, augmented_images: Path | None = None
) -> Examples:
    if not options.augmented:
        return Examples()
    names, labels = augmentation["image"], augmentation["label"]
    return Examples(tuple(names), tuple(labels), tuple(augmented_path(augmented_images, name) for name in names))


def _folders(generated: dict[str, Any]) -> list[Path]:
    return [one for one in generated.values() if isinstance(one, Path)]


def _fingerprint(options: NetworkOptions, compute: ComputeOptions, examples: Examples, read: list[Path]) -> str:
    # A schedule is drawn over all epochs, so that their number is in every step.
    how_long = HOW_LONG if options.training.schedule == "constant" else HOW_LONG - {"epochs"}
    blocks = [
        options.model_dump(mode="json", exclude={"training": how_long}),
        compute.model_dump(mode="json", exclude={"memory"}),
    ]
    return fingerprint(blocks, examples, read)
