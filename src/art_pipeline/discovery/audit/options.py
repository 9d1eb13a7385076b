"""Options of the analyses of ``audit:``."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from art_pipeline.common.options import Options


class AuditOptions(Options):
    """``audit.NAME`` — suspected errors in the labels of a task; docs/audit.md.

    Attributes:
        task: Task whose labels are audited.
        models: Models of the task whose predictions are used too, except for images that they were trained on.
        features: Blocks of ``features:``; for each, a logistic regression predicts all images of the task out of fold.
        folds: Number of folds of the cross-validation. Near-duplicates are in the same fold.
        dimensions: Maximum number of principal components of a block, for the logistic regression.
        C: Values of its inverse L2 penalty to try; the one with the lowest log loss out of fold is used.
        repeats: Number of repeats of the cross-validation, with other folds; the probabilities are averaged.
        neighbours: Number of nearest works, the shares of whose labels are probabilities too, with half the weight of a
            logistic regression; also of nearest works of the same label, whose mean distance defines outliers.
        duplicate_distance: Images are near-duplicates if at most this many of the 64 bits of their hashes differ.
        outliers: Share of the images of each label that are listed as outliers: the farthest from the other images.
        rows: Maximum number of rows of the table.
        shown: Number of suspected works in the report's figure.
        seed: Random seed.
    """

    task: str
    models: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    folds: int = Field(default=5, ge=2, le=20)
    dimensions: int = Field(default=256, ge=2)
    C: tuple[float, ...] = (0.02, 0.05, 0.1)
    repeats: int = Field(default=2, ge=1, le=20)
    neighbours: int = Field(default=30, ge=1)
    duplicate_distance: int = Field(default=4, ge=0, le=64)
    outliers: float = Field(default=0.01, ge=0, le=0.5)
    rows: int = Field(default=1000, ge=1)
    shown: int = Field(default=20, ge=0, le=200)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("models", "features", "C")
    @classmethod
    def _are_unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("name each only once")
        return value

    @field_validator("C")
    @classmethod
    def _are_positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or min(value) <= 0:
            raise ValueError("give at least one number above 0")
        return value

    @model_validator(mode="after")
    def _has_probabilities(self) -> Self:
        if not self.models and not self.features:
            raise ValueError("name models or features, from which probabilities come")
        return self
