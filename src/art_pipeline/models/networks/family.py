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

if TYPE_CHECKING:
    import keras


WARM_UP = (0.0, 0.05)  # share of all steps by default, without and with a cosine schedule

Activation = Literal["softmax", "sigmoid"]  # of the last layer of a multi-class and of a multi-label network


class AdamOptions(Options):
    """Adam optimizer (Kingma & Ba 2015), with the defaults of ``keras.optimizers.Adam``.

    Attributes:
        learning_rate: Learning rate.
        beta_1: Decay rate of the first moment estimates.
        beta_2: Decay rate of the second moment estimates.
        epsilon: Constant for numerical stability.
    """

    learning_rate: float = Field(default=0.001, gt=0)
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    epsilon: float = Field(default=1e-7, gt=0)


class SgdOptions(Options):
    """Stochastic gradient descent with momentum (Sutskever et al. 2013).

    Attributes:
        learning_rate: Learning rate.
        momentum: Share of the last update in the next one.
        nesterov: Whether to use Nesterov's momentum.
    """

    learning_rate: float = Field(default=0.01, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    nesterov: bool = False


class TrainingOptions(Options):
    """Training with cross-entropy (binary for a multi-label task), and early stopping by the validation loss.

    Attributes:
        epochs: Maximum number of epochs. All are run where the model trains on the validation split too.
        patience: Number of epochs without a lower validation loss after which training stops. The weights
            of the best epoch are restored.
        batch_size: Images per batch.
        adam: Optimizer.
        sgd: Another optimizer in place of Adam; null for Adam.
        schedule: Learning rate schedule: ``constant``; ``cosine`` (Loshchilov & Hutter 2017) or ``linear`` decay to
            0; or ``step``, a tenth of it after one half and after three quarters of all steps (He et al. 2016). All
            but ``constant`` span all ``epochs``.
        warm_up: Share of all steps in which the learning rate rises linearly from 0; null for 0.05 with ``cosine``,
            and 0 otherwise.
        l2: Factor of the sum of the squares of all trained kernels, which is added to the loss, also to that of
            validation; 0 for none.
        loss: ``cross_entropy``; or ``asymmetric`` for a multi-label task, which weights easy negatives down (Ridnik et
            al. 2021); see `art_pipeline.models.training.losses`.
        label_smoothing: Share of each label that is spread evenly over all classes (Szegedy et al. 2016); of a
            multi-label task, over presence and absence.
        class_weight: ``balanced`` weights a class inversely to its number of images; ``square_root`` inversely to
            the square root of that number (Mahajan et al. 2018); null weights all images equally. The images with and
            without a label of a multi-label task are two classes.
        calibrate: Whether to calibrate probabilities by temperature scaling on the validation split;
            see `art_pipeline.models.networks.temperature`.
        checkpoint_every: Epochs between checkpoints, from which an interrupted training resumes.
        log_every: Steps between live reports of the loss and of predictions of some validation images to MLflow; null
            for none. The metrics of epochs are always reported.
        seed: Seed of the initial weights, of dropout, and of the order of images.
    """

    epochs: int = Field(default=100, ge=1)
    patience: int = Field(default=5, ge=1)
    batch_size: int = Field(default=32, ge=1)
    adam: AdamOptions = AdamOptions()
    sgd: SgdOptions | None = None
    schedule: Literal["constant", "cosine", "linear", "step"] = "constant"
    warm_up: float | None = Field(default=None, ge=0, lt=1)
    l2: float = Field(default=0.0, ge=0)
    loss: Literal["cross_entropy", "asymmetric"] = "cross_entropy"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weight: Literal["balanced", "square_root"] | None = None
    calibrate: bool = True
    checkpoint_every: int = Field(default=1, ge=1)
    log_every: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return (self.sgd or self.adam).learning_rate

    @property
    def rate_key(self) -> str:
        """The parameter with the learning rate."""
        return f"training.{'sgd' if self.sgd else 'adam'}.learning_rate"

    @property
    def warm_up_share(self) -> float:
        """Share of all steps in which the learning rate rises."""
        return self.warm_up if self.warm_up is not None else WARM_UP[self.schedule == "cosine"]

    @property
    def spans_epochs(self) -> bool:
        """Whether the learning rate depends on the number of epochs."""
        return self.schedule != "constant" or self.warm_up_share > 0


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
            activation: Of the last layer: ``softmax``, or ``sigmoid`` for a multi-label task.
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
