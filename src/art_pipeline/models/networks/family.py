"""Options of all that Keras trains: networks, one architecture per module beside this one, and heads on features."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from art_pipeline.common.options import Options
from art_pipeline.features.networks.image_size import SizedOptions
from art_pipeline.features.networks.inference import batch_size
from art_pipeline.images.random_augmentation import RandomAugmentationOptions
from art_pipeline.images.standardize import resize
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.family import ModelFamily, Step
from art_pipeline.models.networks.training_options import TrainingOptions

if TYPE_CHECKING:
    import keras


Activation = Literal["softmax", "sigmoid"]  # of the last layer of a multi-class and of a multi-label network


class KerasFamily(ModelFamily):
    """Options of every model that Keras trains, of which the last part is a head from features to probabilities.

    Attributes:
        kind: Architecture, or ``head``; see `art_pipeline.models.registry`.
        train_on: Splits of the training set. Without ``validation``, the validation loss decides when
            training stops. With it, all epochs are run and probabilities are not calibrated.
        augmented: Whether to train on the images of the ``augment`` stage too.
        training: Training options.
    """

    REQUIREMENTS: ClassVar[tuple[str, ...]] = (*ModelFamily.REQUIREMENTS, "h5py", "keras")

    train_on: tuple[Literal["train", "validation"], ...] = ("train",)
    augmented: bool = False
    training: TrainingOptions = TrainingOptions()

    @field_validator("train_on")
    @classmethod
    def _includes_train(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "train" not in value:
            raise ValueError(
                "a network trains on the training split: set train_on to [train] or to [train, validation]"
            )
        return value

    @model_validator(mode="after")
    def _calibrates_on_held_out_images(self) -> Self:
        if not self.validated and self.training.calibrate:
            raise ValueError(
                "a network that trains on the validation split has no images left for calibration: set "
                "training.calibrate to false, or train_on to [train]"
            )
        return self

    @property
    def validated(self) -> bool:
        """Whether the validation split is held out, so that its loss decides when training stops."""
        return "validation" not in self.train_on

    def find_task_problem(self, kind: str) -> str | None:
        """Return why the model cannot be trained for a kind of task; None where it can."""
        if kind == "multiclass" and self.training.loss == "asymmetric":
            return "training.loss cannot be asymmetric for one class per image; set it to cross_entropy"
        if kind == "multilabel" and self.training.loss not in {"cross_entropy", "asymmetric"}:
            return f"training.loss {self.training.loss} is for one class per image; set it to cross_entropy"
        if kind == "multilabel" and self.training.sampling:
            return "training.sampling is for one class per image; set it to null"
        if self.training.reads_costs and self.decide is None:
            return f"training.loss {self.training.loss} reads the costs of mistakes; set decide here or in the task"
        if kind == "multilabel" and not self.validated:
            return "the thresholds of labels are chosen on the validation split; set train_on to [train]"
        return super().find_task_problem(kind)

    @property
    @abstractmethod
    def prediction_batch(self) -> int:
        """Number of images per batch of prediction, on which the last digits of probabilities depend."""

    @abstractmethod
    def build_head(self, features: int, classes: int, activation: Activation = "softmax") -> "keras.Model":
        """Build the head with random weights: (n, features) to (n, classes) probabilities.

        Args:
            features: Number of features.
            classes: Number of classes.
            activation: Activation of the last layer: ``softmax``, or ``sigmoid`` for a multi-label task.
        """


class NetworkOptions(SizedOptions, KerasFamily):
    """Options of every network.

    A network has a base, from pixels to features, and a head, from features to probabilities.

    Attributes:
        random_augmentation: Random augmentation of each training image in each epoch; null for none.
        crop_from: Size, like ``image_size``, to which images are resized before a part of ``image_size`` is cut out: at
            random in training, and from the centre otherwise; null for no crop.
    """

    random_augmentation: RandomAugmentationOptions | None = None
    crop_from: int | tuple[int, int] | None = None

    @model_validator(mode="after")
    def _crops_from_larger_images(self) -> Self:
        if any(outer < side for outer, side in zip(self.outer_sides, self.sides, strict=True)):
            raise ValueError(f"crop_from {self.crop_from} is smaller than image_size {self.image_size}: raise it")
        return self

    @property
    def outer_sides(self) -> tuple[int, int]:
        """Height and width of an image before the crop."""
        size = self.crop_from or self.image_size
        return (size, size) if isinstance(size, int) else size

    def resize(self, pixels: np.ndarray) -> np.ndarray:
        """Resize a (height, width, 3) uint8 image as the network takes it, with a central crop."""
        return self.crop(resize(pixels, *self.outer_sides))

    def crop(self, pixels: np.ndarray, generator: np.random.Generator | None = None) -> np.ndarray:
        """Cut a part of ``image_size`` out of an image of ``outer_sides``, from the centre or at random."""
        spare = [outer - side for outer, side in zip(self.outer_sides, self.sides, strict=True)]
        top, left = generator.integers(0, spare, endpoint=True) if generator else [one // 2 for one in spare]
        return pixels[top : top + self.sides[0], left : left + self.sides[1]]

    @property
    def initial_weights(self) -> dict[str, str]:
        """The data set with the initial weights, by the argument of the training step; empty for random ones."""
        return {}

    @property
    def prediction_batch(self) -> int:
        """Number of images per batch of prediction."""
        return batch_size(*self.sides)

    @property
    def named_layers(self) -> tuple[str, ...]:
        """Layers whose pooled maps are the features; empty for the last layer."""
        return ()

    @abstractmethod
    def build_base(self) -> "keras.Model":
        """Build the base with random weights: (n, height, width, 3) pixels from 0 to 255, to (n, features)."""

    def freeze(self, base: "keras.Model") -> None:
        """Set ``trainable`` to false in the layers of a base that are not trained."""

    def steps(self) -> list[Step]:
        """Return the steps of training and prediction."""
        from art_pipeline.models.networks.steps import network_steps

        return network_steps(self)

    @classmethod
    def load(cls, folder: Path) -> Classifier:
        """Load a trained network, into any backend of Keras."""
        from art_pipeline.models.networks.network import Network

        return Network.load(folder)


class HeadLayers(Options):
    """Options of a small head.

    Attributes:
        standardise: Whether features are standardised to mean 0 and variance 1 over the training images.
        hidden_units: Units of a ReLU layer between features and output layer; 0 for none.
        dropout: Dropout rate of features and of hidden units.
    """

    standardise: bool = False
    hidden_units: int = Field(default=0, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    def build_head(self, features: int, classes: int, activation: Activation = "softmax") -> "keras.Model":
        """Build the head: optional standardization and hidden layer, dropout, output layer."""
        import keras
        from keras import layers

        standardise = [layers.Normalization()] if self.standardise else []
        hidden = (
            [layers.Dropout(self.dropout), layers.Dense(self.hidden_units, activation="relu")]
            if self.hidden_units
            else []
        )
        last = [layers.Dropout(self.dropout), layers.Dense(classes, activation=activation, dtype="float32")]
        return keras.Sequential([keras.Input((features,)), *standardise, *hidden, *last], name="head")
