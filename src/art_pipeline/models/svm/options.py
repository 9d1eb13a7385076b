"""Parameters of the SVMs: the grid and its cross-validation."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from art_pipeline.common.options import Options

Gamma = Literal["auto", "scale"] | PositiveFloat
TrainingSplits = Annotated[tuple[Literal["train", "validation"], ...], Field(min_length=1)]


class LinearSvmOptions(Options):
    """Grid search of a linear SVM.

    Attributes:
        C: Values of the regularization parameter to try.
        folds: Folds of the stratified cross-validation within the training set.
        class_weight: ``balanced`` weights ``C`` inversely to the size of a class.
        loss: ``hinge``, or ``squared`` for a least-squares SVM (Suykens & Vandewalle 1999). With ``squared``, all
            classes are solved at once, which is fast for many labels, and all examples are support vectors.
        max_examples: Maximum size of the training set. A larger one is subsampled, stratified by class, with
            at least one image of each class per fold. Time and memory grow with the square of the size: 12,000
            images take about 4 GB on two cores. A maximum too small for one image of each class per fold is an error.
        seed: Seed of the folds and of the subsampling.
    """

    C: tuple[PositiveFloat, ...] = Field(default=(0.1, 1.0, 10.0), min_length=1)
    folds: int = Field(default=5, ge=2)
    class_weight: Literal["balanced"] | None = None
    loss: Literal["hinge", "squared"] = "hinge"
    max_examples: int = Field(default=12_000, ge=10, le=12_000)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _weights_hinge_loss_only(self) -> Self:
        if self.loss == "squared" and self.class_weight:
            raise ValueError("class_weight is for the hinge loss only: remove it, or set loss to hinge")
        return self


class SvmOptions(LinearSvmOptions):
    """Grid search of an SVM with an RBF kernel.

    Attributes:
        gamma: Values of the kernel coefficient to try: numbers, ``auto`` (1 / n_features) or
            ``scale`` (1 / (n_features · variance)), as in scikit-learn.
    """

    gamma: tuple[Gamma, ...] = Field(default=("auto", "scale"), min_length=1)
