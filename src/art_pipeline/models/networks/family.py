"""Options of all that Keras trains: networks, one architecture per module beside this one, and heads on features."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from art_pipeline.common.options import Options
from art_pipeline.features.networks.inference import batch_size
from art_pipeline.images.random_augmentation import RandomAugmentationOptions
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.family import ModelFamily, Step

if TYPE_CHECKING:
    import keras


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


class TrainingOptions(Options):
    """Training with cross-entropy (binary for a multi-label task), Adam, and early stopping by the validation loss.

    Attributes:
        epochs: Maximum number of epochs. All are run where the model trains on the validation split too.
        patience: Number of epochs without a lower validation loss after which training stops. The weights
            of the best epoch are restored.
        batch_size: Images per batch.
        adam: Optimizer.
        schedule: Learning rate schedule: ``constant``, or ``cosine`` with linear warm-up over the first 5 % of
            all steps and cosine decay to 0 (Loshchilov & Hutter 2017). The cosine schedule spans all ``epochs``.
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
        seed: Seed of the initial weights, of dropout, and of the order of images.
    """

    epochs: int = Field(default=100, ge=1)
    patience: int = Field(default=5, ge=1)
    batch_size: int = Field(default=32, ge=1)
    adam: AdamOptions = AdamOptions()
    schedule: Literal["constant", "cosine"] = "constant"
    loss: Literal["cross_entropy", "asymmetric"] = "cross_entropy"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weight: Literal["balanced", "square_root"] | None = None
    calibrate: bool = True
    checkpoint_every: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)


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


class NetworkOptions(KerasFamily):
    """Options of every network.

    A network has a base, from pixels to features, and a head, from features to probabilities.

    Attributes:
        random_augmentation: Random augmentation of each training image in each epoch; null for none.
        image_size: Height and width, in pixels, to which images are resized.
    """

    random_augmentation: RandomAugmentationOptions | None = None
    image_size: int

    @property
    def initial_weights(self) -> dict[str, str]:
        """The data set with the initial weights, by the argument of the training step; empty for random ones."""
        return {}

    @property
    def prediction_batch(self) -> int:
        """Number of images per batch of prediction."""
        return batch_size(self.image_size)

    @property
    def named_layers(self) -> tuple[str, ...]:
        """Layers whose averages are the features; empty for the last layer."""
        return ()

    @abstractmethod
    def build_base(self) -> "keras.Model":
        """Build the base with random weights: (n, size, size, 3) pixels from 0 to 255, to (n, features)."""

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
        last = [layers.Dropout(self.dropout), layers.Dense(classes, activation=activation)]
        return keras.Sequential([keras.Input((features,)), *standardise, *hidden, *last], name="head")
