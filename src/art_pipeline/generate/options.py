"""``generate:`` of params.yaml: what is trained, on what, and how it is measured."""

from typing import Literal

from pydantic import Field, field_validator

from art_pipeline.common.options import Options

MIN_IMAGES = 16
Change = Literal["colour", "translation", "cutout"]


class GanTrainingOptions(Options):
    """``training`` of a block of ``generate:``.

    Attributes:
        steps: Steps of training, of one batch each.
        batch_size: Images per step.
        learning_rate: Learning rate of Adam, for generator and discriminator.
        beta_1: Decay of Adam's mean of gradients.
        average: Decay per step of the moving average of the generator's weights, which generates the images; 0 for
            the weights themselves.
        augmentation: Random, differentiable changes of real and generated images, so that the discriminator does not
            memorise the training images (Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN
            training"); empty for none.
        flip: Whether training images are flipped horizontally with a probability of one half.
        evaluate_every: Steps between checkpoints; at each, the kernel inception distance to the validation images is
            computed, and a sheet of samples is written.
        patience: Number of checkpoints without a lower distance after which training stops; null for never. The
            checkpoint with the lowest distance is kept.
        max_loss: Absolute value of a loss above which training stops; the last checkpoint is kept.
        seed: Seed of weights, batches and noise.
    """

    steps: int = Field(default=4000, ge=1)
    batch_size: int = Field(default=8, ge=2)
    learning_rate: float = Field(default=0.0002, gt=0)
    beta_1: float = Field(default=0.5, ge=0, lt=1)
    average: float = Field(default=0.998, ge=0, lt=1)
    augmentation: tuple[Change, ...] = ("colour", "translation")
    flip: bool = True
    evaluate_every: int = Field(default=500, ge=1)
    patience: int | None = Field(default=None, ge=1)
    max_loss: float = Field(default=1000.0, gt=0)
    seed: int = Field(default=0, ge=0, lt=2**32)


class GanOptions(Options):
    """Architecture and training of a generator and its discriminator.

    Attributes:
        kind: ``fastgan``, a light generator with skip-layer excitation and a self-supervised discriminator, with hinge
            loss (Liu et al. 2021, "Towards faster and stabilized GAN training for high-fidelity few-shot image
            synthesis"); or ``plain``, transposed convolutions with cross-entropy, as in Golara's study.
        image_size: Height and width of the images, in pixels: a power of two from 16 to 256.
        noise: Length of the noise vector.
        width: Channels of the generator at the full size; twice as many at half the size, up to 16 times as many.
        discriminator_width: Channels of the discriminator, as ``width``, up to 8 times as many.
        training: Training options.
    """

    kind: Literal["fastgan", "plain"] = "fastgan"
    image_size: int = 64
    noise: int = Field(default=128, ge=1)
    width: int = Field(default=16, ge=1)
    discriminator_width: int = Field(default=16, ge=1)
    training: GanTrainingOptions = GanTrainingOptions()

    @field_validator("image_size")
    @classmethod
    def _is_a_power_of_two(cls, value: int) -> int:
        if value not in (16, 32, 64, 128, 256):
            raise ValueError("must be 16, 32, 64, 128 or 256")
        return value


class GenerateOptions(GanOptions):
    """A block of ``generate:``: a generator of images like those of a task's label.

    It trains on the training split. Its validation images choose the best state, and its test images are what the
    generated ones are compared with.

    Attributes:
        task: Name of the task whose images are used.
        labels: Labels of the task whose images are used, of any of them; empty for all images.
        where: Values of columns of the table of objects, by column: only objects with one of these values are used.
        max_ratio: Ratio of the longest to the shortest side beyond which an image is left out; the central square of
            the others is used.
        features: Name of the block of ``features:`` by which images are compared.
        samples: Number of images that are generated to be compared.
        subsets: Number of subsets over which the kernel inception distance is averaged.
        subset_size: Images in a subset; at most the number of test or validation images.
        shown: Number of images on a sheet.
    """

    task: str
    labels: tuple[str, ...] = ()
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    max_ratio: float = Field(default=2.0, ge=1)
    features: str
    samples: int = Field(default=200, ge=MIN_IMAGES)
    subsets: int = Field(default=50, ge=2)
    subset_size: int = Field(default=100, ge=2)
    shown: int = Field(default=40, ge=1)
