"""A convolutional network as a classifier: a base that turns images into features, and a head that judges them.

What a kind of network is stands in a file of its own, such as `art_pipeline.models.networks.alexnet`;
here is what all of them share. Keras is imported when a network is built, and not before.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from art_pipeline.common.options import Options
from art_pipeline.errors import ModelError
from art_pipeline.images.random_augmentation import RandomAugmentationOptions
from art_pipeline.images.standardize import stretch
from art_pipeline.models.classifier import read_card, write_card
from art_pipeline.models.networks.inference import batch_size, features_of, in_batches
from art_pipeline.models.networks.temperature import temper

if TYPE_CHECKING:
    import keras

NAMES = "object_name_uids"  # Keras' numbers of layers' names
BASE, HEAD, HISTORY = "base.weights.h5", "head.weights.h5", "history.csv"


class AdamOptions(Options):
    """The optimiser (Kingma & Ba 2015); the defaults are Keras'.

    Attributes:
        learning_rate: Step size.
        beta_1: Decay of the mean of gradients.
        beta_2: Decay of the mean of their squares.
        epsilon: Least divisor.
    """

    learning_rate: float = Field(default=0.001, gt=0)
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    epsilon: float = Field(default=1e-7, gt=0)


class TrainingOptions(Options):
    """How a network learns: categorical cross-entropy, Adam, and a stop by the validation loss.

    Attributes:
        epochs: At most so many passes over the training images; all of them where it learns from the
            validation images too.
        patience: Epochs without a lower validation loss after which it stops; the weights of the
            best epoch are kept.
        batch_size: Images in a step.
        adam: The optimiser.
        schedule: ``constant`` keeps the step size; ``cosine`` lets it rise over the first twentieth of all
            steps, and fall to 0 by the last (Loshchilov & Hutter 2017), for which ``epochs`` is to be
            what is wanted, and not only the most.
        label_smoothing: Share of each label that is spread over all classes, so that the network does not
            learn to be surer than it can be (Szegedy et al. 2016).
        class_weight: ``balanced`` makes the weight of a class inverse to its size; ``square_root`` to the
            square root of its size (Mahajan et al. 2018).
        calibrate: Whether probabilities are made as sure as they are right, by the validation images;
            see `art_pipeline.models.networks.temperature`.
        checkpoint_every: Epochs between two checkpoints, from which an interrupted training goes on.
        seed: Seed of initial weights, dropout and the order of images.
    """

    epochs: int = Field(default=100, ge=1)
    patience: int = Field(default=5, ge=1)
    batch_size: int = Field(default=32, ge=1)
    adam: AdamOptions = AdamOptions()
    schedule: Literal["constant", "cosine"] = "constant"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weight: Literal["balanced", "square_root"] | None = None
    calibrate: bool = True
    checkpoint_every: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)


class NetworkOptions(Options):
    """What every network has.

    Validated as this class, a block becomes the options of its ``kind``.

    Attributes:
        kind: Which network it is; see `art_pipeline.models.registry`.
        train_on: Splits that it learns from. Without the validation images, these decide when it stops.
            With them it learns from as many as the other models do; then all epochs are done, and
            nothing is left to calibrate by.
        augmented: Whether it trains on the generated images too.
        random_augmentation: How each training image is augmented at random in each epoch; null for not at all.
        image_size: Height and width, in pixels, to which images are stretched.
        training: How it learns.
    """

    kind: str
    train_on: tuple[Literal["train", "validation"], ...] = ("train",)
    augmented: bool = False
    random_augmentation: RandomAugmentationOptions | None = None
    image_size: int
    training: TrainingOptions = TrainingOptions()

    @model_validator(mode="wrap")
    @classmethod
    def _of_its_kind(cls, values: Any, validate: Any) -> "NetworkOptions":
        if cls is not NetworkOptions or isinstance(values, NetworkOptions):
            return validate(values)
        from art_pipeline.models.registry import options_of_kind

        return options_of_kind(values["kind"]).model_validate(values)

    @field_validator("train_on")
    @classmethod
    def _learns_from_training_images(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "train" not in value:
            raise ValueError(
                "a network learns from the training images: set train_on to [train] or [train, validation]"
            )
        return value

    @model_validator(mode="after")
    def _calibrates_by_what_it_has_not_learnt(self) -> Self:
        if not self.validated and self.training.calibrate:
            raise ValueError(
                "a network that learns from the validation images has none to calibrate by: set training.calibrate "
                "to false, or train_on to [train]"
            )
        return self

    @property
    def validated(self) -> bool:
        """Whether there are images that it does not learn from, which decide when it stops."""
        return "validation" not in self.train_on

    @property
    def frozen(self) -> bool:
        """Whether the base learns nothing, so that its features of an image never change."""
        return False

    @abstractmethod
    def build_base(self) -> "keras.Model":
        """(n, size, size, 3) pixels from 0 to 255, to (n, features); weights as they start at random."""

    @abstractmethod
    def build_head(self, features: int, classes: int) -> "keras.Model":
        """(n, features) to (n, classes) probabilities."""

    def freeze(self, base: "keras.Model") -> None:
        """Make the layers of a base untrainable that are to stay as they are."""


@dataclass(frozen=True)
class Network:
    """A trained network; a `Classifier`.

    Attributes:
        classes: The labels, in the order of the probabilities.
        max_side: Longest side, in pixels, of the images that it was trained on, before they
            were stretched.
        options: What it is.
        base: Images to features.
        head: Features to probabilities.
        training: What training met: JSON values, and among them the ``temperature`` of the probabilities.
        history: A row per epoch: ``epoch`` from 1, ``loss``, ``accuracy``, ``top_5_accuracy``,
            ``precision``, ``recall`` and ``auc``, and the same with ``val_``, float64; those are NaN
            where it learnt from the validation images.
    """

    classes: tuple[str, ...]
    max_side: int
    options: NetworkOptions
    base: "keras.Model"
    head: "keras.Model"
    training: Mapping[str, Any]
    history: pd.DataFrame

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """(height, width, 3) uint8 RGB images to (n, classes) float64; rows sum to 1.

        Images that are stretched already are taken as they are.
        """
        stretched = (stretch(pixels, self.options.image_size) for pixels in images)
        outputs = in_batches(self.head, features_of(self.base, stretched), batch_size(self.options.image_size))
        return temper(outputs, self.training["temperature"])

    def save(self, folder: Path) -> None:
        """Write the network into a folder: JSON, CSV, and Keras' files of plain numbers."""
        write_card(
            folder,
            self.options.kind,
            classes=self.classes,
            max_side=self.max_side,
            options=self.options.model_dump(mode="json"),
            training=self.training,
        )
        self.history.to_csv(folder / HISTORY, index=False)
        self.base.save_weights(folder / BASE)
        self.head.save_weights(folder / HEAD)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; into any backend of Keras."""
        card = read_card(folder)
        options = NetworkOptions.model_validate(card["options"])
        with names_from_zero():
            base = options.build_base()
        with names_from_zero():
            head = options.build_head(base.output_shape[-1], len(card["classes"]))
        base.load_weights(folder / BASE)
        head.load_weights(folder / HEAD)
        history = read_history(folder)
        return cls(tuple(card["classes"]), card["max_side"], options, base, head, card["training"], history)


def read_history(folder: Path) -> pd.DataFrame:
    """The ``history`` of a stored network."""
    return pd.read_csv(folder / HISTORY, float_precision="round_trip")


def judge_features(folder: Path, features: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """What a stored network says of (n, features) float32 that its base gave, without loading the base.

    Returns:
        (n, classes) float64 probabilities, and the classes.
    """
    card = read_card(folder)
    options, classes = NetworkOptions.model_validate(card["options"]), tuple(card["classes"])
    head = options.build_head(features.shape[1], len(classes))
    head.load_weights(folder / HEAD)
    outputs = in_batches(head, features, batch_size(options.image_size))
    return temper(outputs, card["training"]["temperature"]), classes


def build(options: NetworkOptions, classes: int) -> tuple["keras.Model", "keras.Model"]:
    """Base and head, with the random weights that the seed gives."""
    base = build_base(options)
    _seed(options, stream=1)  # the head's start does not depend on the base
    with names_from_zero():
        return base, options.build_head(base.output_shape[-1], classes)


def load_trained(base: "keras.Model", head: "keras.Model", classes: Sequence[str], folder: Path) -> None:
    """Give base and head the weights of a stored network.

    Args:
        base: Of the same kind.
        head: Likewise.
        classes: Labels of the head.
        folder: Of the stored network.

    Raises:
        ModelError: It knows other classes, or is of another kind.
    """
    known = read_card(folder)["classes"]
    if known != list(classes):
        raise ModelError(f"A model cannot start from one of other classes: {', '.join(known)}.")
    try:
        base.load_weights(folder / BASE)
        head.load_weights(folder / HEAD)
    except ValueError as error:
        raise ModelError(f"A model can start only from one of its own kind and layers: {error}") from error


def build_base(options: NetworkOptions) -> "keras.Model":
    """The base alone; what of it is to stay as it is cannot be trained."""
    _seed(options, stream=0)
    with names_from_zero():
        base = options.build_base()
    options.freeze(base)
    return base


@contextmanager
def names_from_zero() -> Iterator[None]:
    """Let Keras name the layers of a network as it does in a new process, and count on afterwards.

    Those without a name of their own are numbered through a thread's life; ``feature_layers`` names layers.
    ``keras.utils.clear_session`` would do so too, at the cost of whoever else uses Keras in this process.
    """
    from keras.src.backend.common import global_state

    known = global_state.get_global_attribute(NAMES)
    global_state.set_global_attribute(NAMES, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(NAMES, known)


def _seed(options: NetworkOptions, stream: int) -> None:
    import keras

    keras.utils.set_random_seed(int(np.random.SeedSequence(options.training.seed).generate_state(2)[stream]))
