"""Options of the training of all that Keras trains."""

from typing import Literal

from pydantic import Field

from art_pipeline.common.options import Options

WARM_UP = (0.0, 0.05)  # share of all steps by default, without and with a cosine schedule

COST_LOSSES = ("soft_labels", "expected_cost", "distance_weighted")
Loss = Literal["cross_entropy", "asymmetric", "logit_adjusted", "soft_labels", "expected_cost", "distance_weighted"]


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
            al. 2021). For one class per image: ``logit_adjusted``, by the sizes of classes (Menon et al. 2021); and by
            the costs of mistakes that the model's ``decide`` names, ``soft_labels`` (Bertinetto et al. 2020),
            ``expected_cost``, which is added to the cross-entropy, or ``distance_weighted`` (Polat et al. 2022). See
            `art_pipeline.models.training.losses`.
        loss_strength: Strength of costs or sizes of classes in the last four losses; null for 10 with ``soft_labels``,
            and 1 with the others.
        label_smoothing: Share of each label that is spread evenly over all classes (Szegedy et al. 2016); of a
            multi-label task, over presence and absence.
        class_weight: ``balanced`` weights a class inversely to its number of images; ``square_root`` inversely to
            the square root of that number (Mahajan et al. 2018); null weights all images equally. The images with and
            without a label of a multi-label task are two classes.
        sampling: ``balanced`` for epochs of as many images as there are, in which all classes of a multi-class task
            are as frequent: images of small classes are repeated, and those of large classes take turns; null for each
            image once.
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
    loss: Loss = "cross_entropy"
    loss_strength: float | None = Field(default=None, gt=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weight: Literal["balanced", "square_root"] | None = None
    sampling: Literal["balanced"] | None = None
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
    def reads_costs(self) -> bool:
        """Whether the loss reads the costs of mistakes."""
        return self.loss in COST_LOSSES

    @property
    def is_balanced(self) -> bool:
        """Whether probabilities are those of classes of equal size."""
        return self.loss == "logit_adjusted" or self.sampling == "balanced"

    @property
    def spans_epochs(self) -> bool:
        """Whether the learning rate depends on the number of epochs."""
        return self.schedule != "constant" or self.warm_up_share > 0
