"""Training of a network, from labelled images to a saved model.

Call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from art_pipeline.errors import ModelError
from art_pipeline.images.random_augmentation import augment_randomly
from art_pipeline.models.networks.family import NetworkOptions
from art_pipeline.models.networks.features import Features
from art_pipeline.models.networks.inference import batch_size, in_batches
from art_pipeline.models.networks.network import Network, build, load_trained
from art_pipeline.models.networks.pretrained import load_start
from art_pipeline.models.networks.temperature import fit_temperature
from art_pipeline.models.training.images import DecodedImages, Examples

if TYPE_CHECKING:
    import keras

    from art_pipeline.models.training.batches import Batches, Inputs
    from art_pipeline.models.training.checkpoint import History

CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class TrainingData:
    """Data that a network trains on.

    Attributes:
        originals: Original images.
        generated: Augmented images.
        validation: Held-out images of every class, for early stopping and calibration; empty where the network
            trains on the validation split.
        max_side: Longest side of the images, in pixels.
        weights: Folder of the base's initial weights; None for random ones.
        start: Folder of a trained network of the same kind whose weights are the initial ones, in place of
            ``weights``.
        features: Folder of the frozen base's features of all these images; None where the base is trained.
    """

    originals: Examples
    generated: Examples
    validation: Examples
    max_side: int
    weights: Path | None = None
    start: Path | None = None
    features: Path | None = None

    @property
    def training(self) -> Examples:
        """All training images."""
        return self.originals + self.generated


def train_network(
    data: TrainingData, options: NetworkOptions, cache_megabytes: float, folder: Path, fingerprint: str
) -> Network:
    """Train a network and save it, or resume an interrupted training.

    Args:
        data: Training and validation data.
        options: Architecture and training options.
        cache_megabytes: Size of the cache of decoded images.
        folder: Folder of the checkpoint, and then of the saved network.
        fingerprint: Fingerprint of all inputs; a checkpoint with another one is discarded.

    Raises:
        ModelError: A class has no validation image, or the loss is not finite.
    """
    from art_pipeline.models.training.checkpoint import Checkpoint
    from art_pipeline.models.training.loop import train

    classes = _classes(data, options)
    base, head = build(options, len(classes))
    if data.weights:
        load_start(base, data.weights)
    if data.start:
        load_trained(base, head, classes, data.start)
    model = _trained_part(base, head, data)
    training, validation = _batches(data, options, classes, cache_megabytes)
    _standardise(head, data)
    checkpoint = Checkpoint(folder / CHECKPOINT, fingerprint)
    history = train(model, training, validation, options.training, checkpoint)
    temperature = _temperature(model, validation, options) if validation and options.training.calibrate else 1.0
    report = _report(data, model, base, history) | {"temperature": temperature}
    network = Network(classes, data.max_side, options, base, head, report, history.table())
    network.save(folder)
    checkpoint.remove()  # only after the network is saved: the disk may be full
    return network


def _classes(data: TrainingData, options: NetworkOptions) -> tuple[str, ...]:
    classes = tuple(sorted(set(data.training.labels)))
    if not options.validated:
        return classes
    if missing := sorted(set(classes) - set(data.validation.labels)):
        raise ModelError(
            f"The class {missing[0]!r} has no validation image, which early stopping needs. Raise "
            "subset.split.validation or subset.classes.min_images."
        )
    if unknown := sorted(set(data.validation.labels) - set(classes)):
        raise ModelError(f"The class {unknown[0]!r} has validation images but no training image.")
    return classes


def _trained_part(base: "keras.Model", head: "keras.Model", data: TrainingData) -> "keras.Model":
    """Return the head alone where features are stored, and the whole network otherwise."""
    import keras

    start = keras.Input(base.output_shape[1:]) if data.features else base.output
    return keras.Model(start if data.features else base.input, head(start))


def _batches(
    data: TrainingData, options: NetworkOptions, classes: Sequence[str], cache_megabytes: float
) -> tuple["Batches", "Batches | None"]:
    """Return training and validation batches, which share the cache by their numbers of images."""
    from art_pipeline.models.training.batches import Batches

    size = options.training.batch_size
    per_image = cache_megabytes / (len(data.training) + len(data.validation))
    parts = []
    for examples in (data.training, data.validation):
        inputs = _inputs(examples, data, options, per_image * len(examples))
        parts.append((inputs, np.searchsorted(classes, examples.labels), len(classes), size))
    weights = _class_weights(parts[0][1], options.training.class_weight)
    augment = partial(augment_randomly, options=options.random_augmentation) if options.random_augmentation else None
    training = Batches(*parts[0], weights=weights, augment=augment, seed=options.training.seed)
    return training, Batches(*parts[1]) if options.validated else None


def _inputs(examples: Examples, data: TrainingData, options: NetworkOptions, cache_megabytes: float) -> "Inputs":
    if data.features:
        return Features(data.features).of(examples.names)
    return DecodedImages(examples.paths, options.image_size, cache_megabytes)


def _class_weights(targets: NDArray[np.intp], how: str | None) -> NDArray[np.float32] | None:
    """Return (classes,) weights, inverse to class sizes or to their square roots, with mean 1 over the images."""
    if not how:
        return None
    counts = np.bincount(targets)
    weights = counts ** (-1.0 if how == "balanced" else -0.5)
    normalised: NDArray[np.float32] = (weights * len(targets) / (weights @ counts)).astype(np.float32)
    return normalised


def _standardise(head: "keras.Model", data: TrainingData) -> None:
    """Fit the head's normalization layer, if any, to the stored features of the training images.

    Without stored features, the layer keeps the statistics of the model that this one starts from.
    """
    import keras

    for layer in head.layers:
        if data.features and isinstance(layer, keras.layers.Normalization):
            layer.adapt(Features(data.features).of(data.training.names))


def _temperature(model: "keras.Model", validation: "Batches", options: NetworkOptions) -> float:
    inputs = chain.from_iterable(validation[number][0] for number in range(len(validation)))
    return fit_temperature(in_batches(model, inputs, batch_size(options.image_size)), validation.targets)


def _report(data: TrainingData, model: "keras.Model", base: "keras.Model", history: "History") -> dict[str, Any]:
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return {
        "trained_on": {"original": len(data.originals), "generated": len(data.generated)},
        "validated_on": len(data.validation),
        "parameters": model.count_params() + (base.count_params() if data.features else 0),
        "trained_parameters": trained,
        "epochs": history.epochs,
        "best_epoch": history.best["epoch"],
        "best_validation_loss": history.best.get("val_loss"),
    }
