"""An SVM on features, concatenated after each was standardised.

Features of a network trained on other images suit a classifier with few examples (Donahue et al. 2014, "DeCAF";
Razavian et al. 2014, "CNN features off-the-shelf"); they can be combined with classical ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, model_validator

from art_pipeline.common.arrays import Arrays
from art_pipeline.models.family import ModelFamily, Step
from art_pipeline.models.features import FeatureFamily, StoredExtractors
from art_pipeline.models.svm.base import SvmClassifier
from art_pipeline.models.svm.one_vs_rest import LinearSvm, RbfSvm
from art_pipeline.models.svm.options import Gamma, SvmOptions, TrainingSplits
from art_pipeline.models.svm.search import search_linear_svm, search_svm
from art_pipeline.models.targets import TaskKind, classes_and_targets

Kernel = Literal["rbf", "linear"]
SVM_CLASSES: dict[Kernel, type[RbfSvm] | type[LinearSvm]] = {"rbf": RbfSvm, "linear": LinearSvm}


class FeatureSvmGrid(SvmOptions):
    """Grid search on standardized features."""

    C: tuple[PositiveFloat, ...] = Field(default=(1.0, 3.0, 10.0, 30.0), min_length=1)
    gamma: tuple[Gamma, ...] = Field(default=("auto",), min_length=1)


class FeatureSvmOptions(FeatureFamily):
    """A model of ``kind: feature_svm``.

    Attributes:
        kind: Model family.
        features: Names of blocks of ``features:``, each with one row per image. The values are standardised to mean
            0 and variance 1 over the training images, and concatenated.
        train_on: Splits of the training set, without augmented images; see
            `art_pipeline.models.svm.bow_svm.BowSvmOptions`.
        kernel: ``rbf`` or ``linear``. A linear SVM on hundreds of features needs a smaller ``C``, such as 0.001 to 0.1,
            and no ``gamma``.
        block_weights: ``columns`` gives each number the same weight; ``equal`` gives each block the same weight,
            whatever its length. A block is an extractor, or a statistic of a layer of a network.
        svm: Grid search of the SVM.
    """

    DESCRIPTION = "an SVM on features"
    REQUIREMENTS: ClassVar[tuple[str, ...]] = (*ModelFamily.REQUIREMENTS, "h5py", "keras")  # of networks

    kind: Literal["feature_svm"] = "feature_svm"
    train_on: TrainingSplits = ("train", "validation")
    kernel: Kernel = "rbf"
    block_weights: Literal["columns", "equal"] = "columns"
    svm: FeatureSvmGrid = FeatureSvmGrid()

    @model_validator(mode="after")
    def _has_gamma_for_rbf_only(self) -> Self:
        if self.kernel == "linear" and self.svm.gamma != FeatureSvmGrid().gamma:
            raise ValueError("a linear SVM has no gamma: remove svm.gamma, or set kernel to rbf")
        return self

    def steps(self) -> list[Step]:
        """Return the steps of training and prediction, from stored features."""
        from art_pipeline.models.svm.feature_svm_steps import feature_steps

        return feature_steps(self)

    @classmethod
    def load(cls, folder: Path) -> "FeatureSvm":
        """Load a trained model."""
        return FeatureSvm.load(folder)


@dataclass(frozen=True)
class Scale(Arrays):
    """Standardizes features to mean 0 and variance 1 over the training images, or to a variance per block.

    Attributes:
        mean: (features,) float64.
        deviation: (features,) float64, above 0; the divisor of each feature.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray) -> Self:
        """Fit to (n, features) float32; a constant feature is centred only."""
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(features.astype(np.float64))
        return cls(scaler.mean_, scaler.scale_)

    def weight_blocks(self, blocks: Sequence[int]) -> Self:
        """Return a scale with the same total variance, of which each block of features has the same share.

        Args:
            blocks: Number of features of each block; they add up to the number of all features.
        """
        lengths = np.repeat(np.asarray(blocks, float), blocks)
        return type(self)(self.mean, self.deviation * np.sqrt(lengths * len(blocks) / len(lengths)))

    def transform(self, features: np.ndarray) -> np.ndarray:
        """Return (n, features) float32 features standardized, as float64."""
        standardized: np.ndarray = (features - self.mean) / self.deviation
        return standardized


@dataclass(frozen=True)
class FeatureSvm(SvmClassifier[Any]):
    """A trained SVM and the extractors of its features; a `Classifier`.

    Attributes:
        options: Options of the model.
        extractors: Extractors of the features.
        scale: Standardization of the features.
    """

    options: FeatureSvmOptions
    extractors: StoredExtractors
    scale: Scale

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Return the (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images."""
        parts = [self.probabilities_from_features(part) for part in self.extractors.describe(images)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes)))

    def probabilities_from_features(self, features: np.ndarray) -> np.ndarray:
        """Return the same from (n, length) float32 features."""
        return self.svm.probabilities(_standardise(features, self.scale, self.options.kernel))  # type: ignore[no-any-return]

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder: JSON, ``.npy`` files, and the extractors with their weights."""
        options = self.options.model_dump(mode="json")
        self._save(folder, self.options.kind, {"scale": self.scale}, options=options)
        self.extractors.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved model."""
        metadata, attributes = cls._load(folder)
        options = FeatureSvmOptions(**metadata["options"])
        extractors = StoredExtractors.load(folder, options.features)
        return cls(**attributes, options=options, extractors=extractors, scale=Scale.load(folder / "scale"))

    @classmethod
    def _svm_class(cls, metadata: dict[str, Any]) -> type[RbfSvm] | type[LinearSvm]:
        return SVM_CLASSES[metadata["options"]["kernel"]]


def train_feature_svm(  # noqa: PLR0913, PLR0917
    features: np.ndarray,
    labels: Sequence[str],
    options: FeatureSvmOptions,
    extractors: StoredExtractors,
    max_side: int,
    kind: TaskKind = "multiclass",
    groups: np.ndarray | None = None,
) -> FeatureSvm:
    """Train an SVM on computed features.

    Args:
        features: (n, length) float32 of the training images.
        labels: Their labels, as in the manifest.
        options: Options of the model.
        extractors: Extractors that computed the features.
        max_side: Longest side of the images, in pixels.
        kind: Kind of the task.
        groups: (n,) int64, images that are in the same fold; None where each is on its own.

    Raises:
        ModelError: There are too few classes or images.
    """
    classes, targets = classes_and_targets(labels, kind)
    scale = Scale.fit(features)
    if options.block_weights == "equal":
        scale = scale.weight_blocks(extractors.blocks)
    search_any: Any = search_svm if options.kernel == "rbf" else search_linear_svm
    search = search_any(_standardise(features, scale, options.kernel), targets, options.svm, groups)
    vectors = {"support_vectors": len(search.svm.support)} if options.kernel == "rbf" else {}
    return FeatureSvm(
        classes=classes,
        max_side=max_side,
        training={**vectors, "features_per_image": features.shape[1], **search.summary(options.svm)},
        **search.attributes(classes, targets, options.thresholds),
        options=options,
        extractors=extractors,
        scale=scale,
    )


def _standardise(features: np.ndarray, scale: Scale, kernel: Kernel) -> np.ndarray:
    """Return standardized features in the type that the SVM takes."""
    standardized = scale.transform(features)
    return standardized if kernel == "rbf" else standardized.astype(np.float32)
