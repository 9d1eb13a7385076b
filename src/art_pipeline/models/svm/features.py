"""A support vector machine on the features of a frozen network.

What a network that was trained on other images says of one is a good description of it for a machine with few
examples (Donahue et al. 2014; Razavian et al. 2014, "CNN features off-the-shelf").
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from art_pipeline.common.arrays import Arrays
from art_pipeline.images.standardize import stretch
from art_pipeline.models.classifier import read_metadata, write_metadata
from art_pipeline.models.family import ModelFamily, Reference, Step
from art_pipeline.models.networks.inference import features_of
from art_pipeline.models.networks.network import Network
from art_pipeline.models.svm.options import Gamma, Price, Svm, SvmOptions
from art_pipeline.models.svm.search import search_svm

NETWORK, SCALE, SVM = "network", "scale", "svm"


class FeatureSvmGrid(SvmOptions):
    """What is tried for features that are brought to mean 0 and variance 1."""

    C: tuple[Price, ...] = Field(default=(1.0, 3.0, 10.0, 30.0), min_length=1)
    gamma: tuple[Gamma, ...] = Field(default=("auto",), min_length=1)


class FeatureSvmOptions(ModelFamily):
    """A model of ``kind: feature_svm``.

    Attributes:
        kind: What kind of model it is.
        features_of: Another model of this project, by name: a network with a frozen base, whose features
            of each image are at hand. What its head says is its own matter.
        train_on: Splits that it learns from, and of these the images as they are; see
            `art_pipeline.models.svm.bow.BowSvmOptions`.
        svm: The grid, and how it is searched.
    """

    DESCRIPTION = "an SVM with an RBF kernel on features of a pretrained network"

    kind: Literal["feature_svm"] = "feature_svm"
    features_of: str
    train_on: tuple[Literal["train", "validation"], ...] = Field(default=("train", "validation"), min_length=1)
    svm: FeatureSvmGrid = FeatureSvmGrid()

    def steps(self) -> list[Step]:
        """Return the steps of training and prediction, from the features that the network's steps compute."""
        from art_pipeline.models.svm.feature_steps import feature_steps

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
    """What brings features to mean 0 and variance 1 over the training images.

    Attributes:
        mean: (features,) float64.
        deviation: Likewise, above 0.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Self:
        """Of (n, features) float32; a feature that is the same for all images is only moved."""
        from sklearn.preprocessing import StandardScaler

        found = StandardScaler().fit(features.astype(np.float64))
        return cls(found.mean_, found.scale_)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(n, features) float32 to the same, float64."""
        return (features - self.mean) / self.deviation


@dataclass(frozen=True)
class FeatureSvm:
    """A trained machine, and the network whose features it judges; a `Classifier`.

    Attributes:
        folder: Of the stored network.
        classes: The labels, in the order of the probabilities.
        max_side: Longest side, in pixels, of the images that it was trained on, before they
            were stretched.
        options: What was asked for.
        scale: What is done to features.
        svm: The machine.
        training: What training chose and met.
    """

    folder: Path
    classes: tuple[str, ...]
    max_side: int
    options: FeatureSvmOptions
    scale: Scale
    svm: Svm
    training: Mapping[str, Any]

    @cached_property
    def network(self) -> Network:
        """What turns images into features, loaded when it is first asked; features alone need no Keras."""
        return Network.load(self.folder)

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """(height, width, 3) uint8 RGB images to (n, classes) float64; rows sum to 1."""
        stretched = (stretch(pixels, self.network.options.image_size) for pixels in images)
        return self.probabilities_of_features(features_of(self.network.base, stretched))

    def probabilities_of_features(self, features: np.ndarray) -> np.ndarray:
        """(n, features) float32, as the network's base gives them, to the same."""
        return self.svm.probabilities(self.scale(features))

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder: JSON, ``.npy`` files, and a copy of the network's."""
        write_metadata(
            folder,
            self.options.kind,
            classes=self.classes,
            max_side=self.max_side,
            options=self.options.model_dump(mode="json"),
            training=self.training,
        )
        shutil.copytree(self.folder, folder / NETWORK)
        for name, part in ((SCALE, self.scale), (SVM, self.svm)):
            (folder / name).mkdir()
            part.save(folder / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the network into any backend of Keras."""
        card = read_metadata(folder)
        return cls(
            folder=folder / NETWORK,
            classes=tuple(card["classes"]),
            max_side=card["max_side"],
            options=FeatureSvmOptions(**card["options"]),
            scale=Scale.load(folder / SCALE),
            svm=Svm.load(folder / SVM),
            training=card["training"],
        )


def train_feature_svm(
    features: np.ndarray, labels: Sequence[str], options: FeatureSvmOptions, network: Path, max_side: int
) -> FeatureSvm:
    """Train on images whose features are at hand.

    Args:
        features: (n, features) float32 of the training images.
        labels: Their classes.
        options: The grid.
        network: Folder of the stored network whose base gave the features.
        max_side: Longest side of the images, before they were stretched.

    Raises:
        ModelError: Too few classes or images.
    """
    classes, targets = np.unique(np.asarray(labels, str), return_inverse=True)
    scale = Scale.of(features)
    search = search_svm(scale(features), targets, options.svm)
    training = {"support_vectors": len(search.svm.support), **search.facts(options.svm)}
    return FeatureSvm(network, tuple(classes.tolist()), max_side, options, scale, search.svm, training)


def _problem_of_network(model: ModelFamily) -> str | None:
    """Return why a model has no stored features."""
    return None if model.frozen else "it is not a network with a frozen base (trainable_layers: 0)"
