"""Training of a network or of a head, from labelled images or features to a saved model.

Call `art_pipeline.common.keras_runtime.prepare_keras` first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from art_pipeline.common.keras_runtime import training_precision
from art_pipeline.common.progress import parameter
from art_pipeline.errors import ModelError
from art_pipeline.evaluation.cost_files import parse_own_costs
from art_pipeline.evaluation.costs import Costs
from art_pipeline.evaluation.label_thresholds import LabelThresholds, choose_thresholds
from art_pipeline.features.networks.inference import in_batches
from art_pipeline.features.networks.weights import load_start
from art_pipeline.images.random_augmentation import augment_randomly
from art_pipeline.models.features import StoredExtractors
from art_pipeline.models.networks.family import KerasFamily, NetworkOptions
from art_pipeline.models.networks.head import HeadOptions
from art_pipeline.models.networks.network import Network, build, load_trained
from art_pipeline.models.networks.temperature import fit_temperature, temper
from art_pipeline.models.networks.trained_head import TrainedHead, build_head
from art_pipeline.models.targets import (
    TaskKind,
    class_names,
    is_multilabel,
    make_targets,
)
from art_pipeline.models.training.class_weights import class_weights
from art_pipeline.models.training.features import ExampleFeatures
from art_pipeline.models.training.images import DecodedImages, Examples

if TYPE_CHECKING:
    import keras

    from art_pipeline.models.training.batches import Augment, Batches, Inputs
    from art_pipeline.models.training.checkpoint import Checkpoint, History

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
        start: Folder of a trained network or head whose weights are the initial ones, in place of
            ``weights``.
        features: Features of all these images, for a head; None for a network.
        kind: Kind of the task.
        costs: Costs of mistakes, as CSV, for a loss that reads them; None for other losses.
    """

    originals: Examples
    generated: Examples
    validation: Examples
    max_side: int
    weights: Path | None = None
    start: Path | None = None
    features: ExampleFeatures | None = None
    kind: TaskKind = "multiclass"
    costs: bytes | None = None

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
        ModelError: A class has no validation image, the loss is not finite, or the options do not suit the kind of
            task.
    """
    import keras

    check_kind(options, data.kind)
    classes = _classes(data, options)
    base, head = build(options, len(classes), data.kind == "multilabel")
    if data.weights:
        load_start(base, data.weights)
    if data.start:
        load_trained(base, head, options, classes, data.start)
    with training_precision():
        model = keras.Model(base.input, head(base.output))
    fitted = _Job(data, options, classes, cache_megabytes, folder, fingerprint).fit(model)
    network = Network(
        classes, data.max_side, options, base, head, fitted.report, fitted.history.table(), fitted.thresholds
    )
    network.save(folder)
    fitted.checkpoint.remove()  # only after the network is saved: the disk may be full
    return network


def train_head(
    data: TrainingData, options: HeadOptions, extractors: StoredExtractors, folder: Path, fingerprint: str
) -> TrainedHead:
    """Train a head on stored features and save it, or resume an interrupted training.

    Args:
        data: Training and validation data, with ``features``.
        options: Options of the head.
        extractors: Extractors that computed the features.
        folder: As in `train_network`.
        fingerprint: As in `train_network`.

    Raises:
        ModelError: As in `train_network`.
        FeatureError: An image has no features.
    """
    import keras

    check_kind(options, data.kind)
    classes, features = _classes(data, options), cast("ExampleFeatures", data.features)
    head = build_head(options, features.length, len(classes), data.kind == "multilabel")
    for layer in head.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt(features.of(data.training.names))
    start = keras.Input((features.length,))
    with training_precision():
        model = keras.Model(start, head(start))
    fitted = _Job(data, options, classes, 0, folder, fingerprint).fit(model)
    report = {"features_per_image": features.length, **fitted.report}
    trained = TrainedHead(
        classes, data.max_side, options, extractors, head, report, fitted.history.table(), fitted.thresholds
    )
    trained.save(folder)
    fitted.checkpoint.remove()
    return trained


@dataclass(frozen=True)
class _Fitted:
    """What training gives besides the weights."""

    report: dict[str, Any]
    history: "History"
    thresholds: LabelThresholds | None
    checkpoint: "Checkpoint"


@dataclass(frozen=True)
class _Job:
    """A training, whatever the model is."""

    data: TrainingData
    options: KerasFamily
    classes: tuple[str, ...]
    cache_megabytes: float
    folder: Path
    fingerprint: str

    def fit(self, model: "keras.Model") -> _Fitted:
        """Train a model from inputs to probabilities; calibrate it, and choose thresholds."""
        from art_pipeline.models.training.checkpoint import Checkpoint
        from art_pipeline.models.training.loop import train
        from art_pipeline.models.training.step_log import StepLog

        training, validation = _batches(self.data, self.options, self.classes, self.cache_megabytes)
        checkpoint = Checkpoint(self.folder / CHECKPOINT, self.fingerprint)
        options = self.options.training
        names, every = self.data.validation.names, options.log_every
        callbacks = [StepLog(every, validation, names, self.classes)] if every else []
        costs = Costs(*parse_own_costs(self.data.costs)).of(self.classes).values if self.data.costs else None
        history = train(model, training, validation, options, checkpoint, callbacks, costs=costs)
        temperature, thresholds = (
            _calibrate(model, validation, self.classes, self.options) if validation else (1.0, None)
        )
        report = _report(self.data, model, history) | {"temperature": temperature}
        return _Fitted(report, history, thresholds, checkpoint)


def check_kind(options: KerasFamily, kind: TaskKind) -> None:
    """Check that the options of a network suit the kind of its task.

    Raises:
        ModelError: They do not.
    """
    if problem := options.find_task_problem(kind):
        raise ModelError(f"{parameter('task')} is {kind}: {problem}.")


def _classes(data: TrainingData, options: KerasFamily) -> tuple[str, ...]:
    classes, validated = (class_names(one.labels, data.kind) for one in (data.training, data.validation))
    if not options.validated:
        return classes
    if not len(data.validation):
        raise ModelError("There is no validation image, which early stopping needs. Raise the task's split.validation.")
    # A label that no validation image has gets the threshold of all labels.
    if data.kind == "multiclass" and (missing := sorted(set(classes) - set(validated))):
        raise ModelError(
            f"The class {missing[0]!r} has no validation image, which early stopping needs. Raise "
            "the task's split.validation or classes.min_images."
        )
    if unknown := sorted(set(validated) - set(classes)):
        raise ModelError(f"The class {unknown[0]!r} has validation images but no training image.")
    return classes


def _batches(
    data: TrainingData, options: KerasFamily, classes: Sequence[str], cache_megabytes: float
) -> tuple["Batches", "Batches | None"]:
    """Return training and validation batches, which share the cache by their numbers of images."""
    from art_pipeline.models.training.batches import Batches

    size = options.training.batch_size
    per_image = cache_megabytes / (len(data.training) + len(data.validation))
    parts = []
    for examples in (data.training, data.validation):
        inputs = _inputs(examples, data, options, per_image * len(examples))
        parts.append((inputs, make_targets(examples.labels, classes, data.kind), len(classes), size))
    weights = class_weights(parts[0][1], options.training.class_weight)
    balanced, seed = options.training.sampling == "balanced", options.training.seed
    training = Batches(*parts[0], weights=weights, augment=_augmentation(options), seed=seed, balanced=balanced)
    crop = options.crop if isinstance(options, NetworkOptions) and options.crop_from else None
    return training, Batches(*parts[1], augment=crop) if options.validated else None


def _inputs(examples: Examples, data: TrainingData, options: KerasFamily, cache_megabytes: float) -> "Inputs":
    if isinstance(options, NetworkOptions):
        return DecodedImages(examples.paths, options.outer_sides, cache_megabytes)
    return cast("ExampleFeatures", data.features).of(examples.names)


def _augmentation(options: KerasFamily) -> "Augment | None":
    """Return the random changes of a training image: a crop, and then augmentation."""
    if not isinstance(options, NetworkOptions):
        return None
    how, crop = options.random_augmentation, options.crop if options.crop_from else None
    augment = partial(augment_randomly, options=how) if how else None
    if crop and augment:
        return lambda pixels, generator: augment(crop(pixels, generator), generator)
    return crop or augment


def _calibrate(
    model: "keras.Model", validation: "Batches", classes: Sequence[str], options: KerasFamily
) -> tuple[float, LabelThresholds | None]:
    """Return temperature and thresholds, both chosen on the validation images; the latter of a multi-label task."""
    multilabel = is_multilabel(validation.targets)
    if not (options.training.calibrate or multilabel):
        return 1.0, None
    inputs = chain.from_iterable(validation[number][0] for number in range(len(validation)))
    outputs = in_batches(model, inputs, options.prediction_batch)
    # Where training makes classes equal, validation images are weighted likewise.
    weights = class_weights(validation.targets, "balanced") if options.training.is_balanced else None
    temperature = fit_temperature(outputs, validation.targets, weights) if options.training.calibrate else 1.0
    if not multilabel:
        return temperature, None
    probabilities = temper(outputs, temperature, multilabel)
    return temperature, choose_thresholds(validation.targets, probabilities, classes, options.thresholds)


def _report(data: TrainingData, model: "keras.Model", history: "History") -> dict[str, Any]:
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return {
        "trained_on": {"original": len(data.originals), "generated": len(data.generated)},
        "validated_on": len(data.validation),
        "parameters": model.count_params(),
        "trained_parameters": trained,
        "epochs": history.epochs,
        "best_epoch": history.best["epoch"],
        "best_validation_loss": history.best.get("val_loss"),
    }
