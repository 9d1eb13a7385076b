"""Options that all networks share; each architecture is a module beside this one, such as `alexnet`."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from art_pipeline.common.options import Options
from art_pipeline.images.random_augmentation import RandomAugmentationOptions
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.family import ModelFamily, Step

if TYPE_CHECKING:
    import keras


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
    """Training with categorical cross-entropy, Adam, and early stopping by the validation loss.

    Attributes:
        epochs: Maximum number of epochs. All are run where the model trains on the validation split too.
        patience: Number of epochs without a lower validation loss after which training stops. The weights
            of the best epoch are restored.
        batch_size: Images per batch.
        adam: Optimizer.
        schedule: Learning rate schedule: ``constant``, or ``cosine`` with linear warm-up over the first 5 % of
            all steps and cosine decay to 0 (Loshchilov & Hutter 2017). The cosine schedule spans all ``epochs``.
        label_smoothing: Share of each label that is spread evenly over all classes (Szegedy et al. 2016).
        class_weight: ``balanced`` weights a class inversely to its number of images; ``square_root`` inversely to
            the square root of that number (Mahajan et al. 2018); null weights all images equally.
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
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weight: Literal["balanced", "square_root"] | None = None
    calibrate: bool = True
    checkpoint_every: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)


class NetworkOptions(ModelFamily):
    """Options of every network.

    A network has a base, from pixels to features, and a head, from features to probabilities.

    Attributes:
        kind: Architecture; see `art_pipeline.models.registry`.
        train_on: Splits that the network trains on. Without ``validation``, the validation loss decides when
            training stops. With it, all epochs are run and probabilities are not calibrated.
        augmented: Whether to train on the images of the ``augment`` stage too.
        random_augmentation: Random augmentation of each training image in each epoch; null for none.
        image_size: Height and width, in pixels, to which images are resized.
        training: Training options.
    """

    REQUIREMENTS: ClassVar[tuple[str, ...]] = (*ModelFamily.REQUIREMENTS, "h5py", "keras")

    train_on: tuple[Literal["train", "validation"], ...] = ("train",)
    augmented: bool = False
    random_augmentation: RandomAugmentationOptions | None = None
    image_size: int
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

    @property
    def initial_weights(self) -> dict[str, str]:
        """The data set with the initial weights, by the argument of the training step; empty for random ones."""
        return {}

    @abstractmethod
    def build_base(self) -> "keras.Model":
        """Build the base with random weights: (n, size, size, 3) pixels from 0 to 255, to (n, features)."""

    @abstractmethod
    def build_head(self, features: int, classes: int) -> "keras.Model":
        """Build the head with random weights: (n, features) to (n, classes) probabilities."""

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
