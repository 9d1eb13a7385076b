"""An RBF SVM on the features of a frozen network.

Features of a network trained on other images suit a classifier with few examples (Donahue et al. 2014, "DeCAF";
Razavian et al. 2014, "CNN features off-the-shelf").
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat

from art_pipeline.common.arrays import Arrays
from art_pipeline.images.standardize import stretch
from art_pipeline.models.family import ModelFamily, Reference, Step
from art_pipeline.models.networks.inference import features_of
from art_pipeline.models.networks.network import Network
from art_pipeline.models.svm.base import SvmClassifier
from art_pipeline.models.svm.one_vs_rest import RbfSvm
from art_pipeline.models.svm.options import Gamma, SvmOptions, TrainingSplits
from art_pipeline.models.svm.search import search_svm

NETWORK = "network"


class FeatureSvmGrid(SvmOptions):
    """Grid search on standardized features."""

    C: tuple[PositiveFloat, ...] = Field(default=(1.0, 3.0, 10.0, 30.0), min_length=1)
    gamma: tuple[Gamma, ...] = Field(default=("auto",), min_length=1)


class FeatureSvmOptions(ModelFamily):
    """A model of ``kind: feature_svm``.

    Attributes:
        kind: Model family.
        features_of: Name of the model whose features are used: a network with a frozen base. Its head is not used.
        train_on: Splits of the training set, without augmented images; see
            `art_pipeline.models.svm.bow_svm.BowSvmOptions`.
        svm: Grid search of the SVM.
    """

    DESCRIPTION = "an SVM with an RBF kernel on features of a pretrained network"

    kind: Literal["feature_svm"] = "feature_svm"
    features_of: str
    train_on: TrainingSplits = ("train", "validation")
    svm: FeatureSvmGrid = FeatureSvmGrid()

    def steps(self) -> list[Step]:
        """Return the steps of training and prediction, from the features that the network's steps compute."""
        from art_pipeline.models.svm.feature_svm_steps import feature_steps

        return feature_steps(self)

    @classmethod
    def load(cls, folder: Path) -> "FeatureSvm":
        """Load a trained model."""
        return FeatureSvm.load(folder)

    def references(self) -> list[Reference]:
        """Return the network whose features are used."""
        return [Reference("features_of", self.features_of, _problem_of_network)]


@dataclass(frozen=True)
class Scale(Arrays):
    """Standardizes features to mean 0 and variance 1 over the training images.

    Attributes:
        mean: (features,) float64.
        deviation: (features,) float64, above 0.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray) -> Self:
        """Fit to (n, features) float32; a constant feature is centred only."""
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(features.astype(np.float64))
        return cls(scaler.mean_, scaler.scale_)

    def transform(self, features: np.ndarray) -> np.ndarray:
        """Return (n, features) float32 features standardized, as float64."""
        standardized: np.ndarray = (features - self.mean) / self.deviation
        return standardized


@dataclass(frozen=True)
class FeatureSvm(SvmClassifier[RbfSvm]):
    """A trained SVM and the network that computes its features; a `Classifier`.

    Attributes:
        folder: Folder of the saved network.
        options: Options of the model.
        scale: Standardization of the features.
    """

    SVM_CLASS = RbfSvm

    folder: Path
    options: FeatureSvmOptions
    scale: Scale

    @cached_property
    def network(self) -> Network:
        """The network, loaded on first use: predicting from features does not need Keras."""
        return Network.load(self.folder)

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Return the (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images; rows sum to 1."""
        stretched = (stretch(pixels, self.network.options.image_size) for pixels in images)
        return self.probabilities_from_features(features_of(self.network.base, stretched))

    def probabilities_from_features(self, features: np.ndarray) -> np.ndarray:
        """Return the same from the (n, features) float32 features that the network's base computes."""
        return self.svm.probabilities(self.scale.transform(features))

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder: JSON, ``.npy`` files, and a copy of the network."""
        options = self.options.model_dump(mode="json")
        self._save(folder, self.options.kind, {"scale": self.scale}, options=options)
        shutil.copytree(self.folder, folder / NETWORK)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved model."""
        metadata, attributes = cls._load(folder)
        options = FeatureSvmOptions(**metadata["options"])
        return cls(**attributes, folder=folder / NETWORK, options=options, scale=Scale.load(folder / "scale"))


def train_feature_svm(
    features: np.ndarray, labels: Sequence[str], options: FeatureSvmOptions, network: Path, max_side: int
) -> FeatureSvm:
    """Train an SVM on computed features.

    Args:
        features: (n, features) float32 of the training images.
        labels: Their classes.
        options: Options of the model.
        network: Folder of the saved network whose base computed the features.
        max_side: Longest side of the images, in pixels, before resizing.

    Raises:
        ModelError: There are too few classes or images.
    """
    classes, targets = np.unique(np.asarray(labels, str), return_inverse=True)
    scale = Scale.fit(features)
    search = search_svm(scale.transform(features), targets, options.svm)
    return FeatureSvm(
        classes=tuple(classes.tolist()),
        max_side=max_side,
        svm=search.svm,
        training={"support_vectors": len(search.svm.support), **search.summary(options.svm)},
        folder=network,
        options=options,
        scale=scale,
    )


def _problem_of_network(model: ModelFamily) -> str | None:
    """Return why a model has no stored features."""
    return None if model.frozen else "it is not a network with a frozen base (trainable_layers: 0)"
