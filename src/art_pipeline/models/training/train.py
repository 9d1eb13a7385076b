"""From labelled images to a trained network.

Call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from art_pipeline.errors import ModelError
from art_pipeline.images.random_augmentation import augment_randomly
from art_pipeline.models.networks.features import Features
from art_pipeline.models.networks.inference import batch_size, in_batches
from art_pipeline.models.networks.network import Network, NetworkOptions, build, load_trained
from art_pipeline.models.networks.pretrained import load_start
from art_pipeline.models.networks.temperature import fit_temperature
from art_pipeline.models.training.images import DecodedImages, Examples

if TYPE_CHECKING:
    import keras

    from art_pipeline.models.training.batches import Batches, Inputs
    from art_pipeline.models.training.checkpoint import Course

CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class TrainingData:
    """What a network learns from.

    Attributes:
        originals: Images as they are.
        generated: Altered copies of them.
        validation: Those that decide when it stops, of every class of the others; none where the network
            learns from them too.
        max_side: Longest side of the images, in pixels.
        weights: Folder of the weights that the base starts with; None for random ones.
        start: Folder of a trained network of the same kind that it starts as, in place of ``weights``.
        features: Folder of the frozen base's features of all these images; None where they are
            computed in every epoch.
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
        """All that it learns from."""
        return self.originals + self.generated


def train_network(
    data: TrainingData, options: NetworkOptions, memory: float, folder: Path, fingerprint: str
) -> Network:
    """Train a network and store it, or go on with a training that was interrupted.

    Args:
        data: What it learns from.
        options: What it is, and how it learns.
        memory: Megabytes of decoded images that are kept between epochs.
        folder: Where the state is kept meanwhile, and the network is stored.
        fingerprint: Of all that the training depends on; a state under another one is discarded.

    Raises:
        ModelError: A class has no image to validate with, or the loss is no longer a number.
    """
    from art_pipeline.models.training.checkpoint import Checkpoint
    from art_pipeline.models.training.loop import train

    classes = _classes(data, options)
    base, head = build(options, len(classes))
    if data.weights:
        load_start(base, data.weights)
    if data.start:
        load_trained(base, head, classes, data.start)
    model = _learning_part(base, head, data)
    training, validation = _batches(data, options, classes, memory)
    _standardise(head, data)
    checkpoint = Checkpoint(folder / CHECKPOINT, fingerprint)
    course = train(model, training, validation, options.training, checkpoint)
    temperature = _temperature(model, validation, options) if options.training.calibrate else 1.0
    facts = _facts(data, model, base, course) | {"temperature": temperature}
    network = Network(classes, data.max_side, options, base, head, facts, course.table())
    network.save(folder)
    checkpoint.remove()  # not before the result is stored: the disk may be full
    return network


def _classes(data: TrainingData, options: NetworkOptions) -> tuple[str, ...]:
    classes = tuple(sorted(set(data.training.labels)))
    if not options.validated:
        return classes
    without = sorted(set(classes) - set(data.validation.labels))
    if without:
        raise ModelError(
            f"The class {without[0]!r} has no validation image, by which networks decide when to stop. Raise "
            "subset.split.validation or subset.classes.min_images."
        )
    unlearnt = sorted(set(data.validation.labels) - set(classes))
    if unlearnt:
        raise ModelError(f"The class {unlearnt[0]!r} has validation images and none to learn from.")
    return classes


def _learning_part(base: "keras.Model", head: "keras.Model", data: TrainingData) -> "keras.Model":
    """The head alone where the base's features are at hand, or the whole."""
    import keras

    start = keras.Input(base.output_shape[1:]) if data.features else base.output
    return keras.Model(start if data.features else base.input, head(start))


def _batches(
    data: TrainingData, options: NetworkOptions, classes: Sequence[str], memory: float
) -> tuple["Batches", "Batches | None"]:
    from art_pipeline.models.training.batches import Batches

    size = options.training.batch_size
    shares = memory / (len(data.training) + len(data.validation))
    parts = []
    for examples in (data.training, data.validation):
        inputs = _inputs(examples, data, options, shares * len(examples))
        parts.append((inputs, np.searchsorted(classes, examples.labels), len(classes), size))
    weights = _class_weights(parts[0][1], options.training.class_weight)
    augment = partial(augment_randomly, options=options.random_augmentation) if options.random_augmentation else None
    training = Batches(*parts[0], weights=weights, augment=augment, seed=options.training.seed)
    return training, Batches(*parts[1]) if options.validated else None


def _inputs(examples: Examples, data: TrainingData, options: NetworkOptions, memory: float) -> "Inputs":
    if data.features:
        return Features(data.features).of(examples.names)
    return DecodedImages(examples.paths, options.image_size, memory)


def _class_weights(targets: np.ndarray, how: str | None) -> np.ndarray | None:
    """(classes,) float32, inverse to the size of a class or to its root, 1 on average over the images."""
    if not how:
        return None
    counts = np.bincount(targets)
    weights = counts ** (-1.0 if how == "balanced" else -0.5)
    return (weights * len(targets) / (weights @ counts)).astype(np.float32)


def _standardise(head: "keras.Model", data: TrainingData) -> None:
    """Fit the layer that standardises features, where there is one, to those of the training images.

    Where there are no features that stay, the layer is a start's, and stays itself.
    """
    import keras

    for layer in head.layers:
        if data.features and isinstance(layer, keras.layers.Normalization):
            layer.adapt(Features(data.features).of(data.training.names))


def _temperature(model: "keras.Model", validation: "Batches", options: NetworkOptions) -> float:
    inputs = chain.from_iterable(validation[number][0] for number in range(len(validation)))
    return fit_temperature(in_batches(model, inputs, batch_size(options.image_size)), validation.targets)


def _facts(data: TrainingData, model: "keras.Model", base: "keras.Model", course: "Course") -> dict[str, Any]:
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    whole = model.count_params() + (base.count_params() if data.features else 0)
    return {
        "trained_on": {"original": len(data.originals), "generated": len(data.generated)},
        "validated_on": len(data.validation),
        "parameters": whole,
        "trained_parameters": trained,
        "epochs": course.epochs,
        "best_epoch": course.best["epoch"],
        "best_validation_loss": course.best.get("val_loss"),
    }
