"""A support vector machine on the features of a frozen network.

What a network that was trained on other pictures says of one is a good description of it for a machine with few
examples (Donahue et al. 2014; Razavian et al. 2014, "CNN features off-the-shelf"). The machine learns nothing
by steps, so that nothing about it is drawn but the folds that choose its parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field

from art_pipeline.arrays import Arrays
from art_pipeline.models.classifier import read_card, write_card
from art_pipeline.models.network import BASE, NetworkOptions, features_of, number_anew
from art_pipeline.models.svm import Svm, SvmOptions
from art_pipeline.models.svm_search import search_svm
from art_pipeline.options import Options
from art_pipeline.vision.imaging import stretch

if TYPE_CHECKING:
    import keras

SCALE, SVM = "scale", "svm"


class FeatureSvmOptions(Options):
    """A model of ``kind: feature_svm``.

    Attributes:
        kind: What kind of model it is.
        features_of: Another model of this project, by name: a network with a frozen base, whose features
            of each picture are at hand. Whatever head it has is its own matter.
        train_on: Splits that it learns from; see `art_pipeline.models.bow_svm.BowSvmOptions`.
        svm: The grid, and how it is searched. Features are brought to mean 0 and variance 1 before, so that
            ``auto`` and ``scale`` are the same gamma.
    """

    kind: Literal["feature_svm"] = "feature_svm"
    features_of: str
    train_on: tuple[Literal["train", "validation"], ...] = Field(default=("train", "validation"), min_length=1)
    svm: SvmOptions = SvmOptions(C=(1.0, 3.0, 10.0, 30.0), gamma=("auto",))


@dataclass(frozen=True)
class Scale(Arrays):
    """What brings features to mean 0 and variance 1 over the training pictures.

    Attributes:
        mean: (features,) float64.
        deviation: Likewise, above 0.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Self:
        """Of (n, features); one that is the same for all pictures is only moved."""
        from sklearn.preprocessing import StandardScaler

        found = StandardScaler().fit(features.astype(np.float64))
        return cls(found.mean_, found.scale_)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(n, features) to the same, float64."""
        return (features - self.mean) / self.deviation


@dataclass(frozen=True)
class FeatureSvm:
    """A frozen network and a trained machine; a `Classifier`.

    Attributes:
        classes: The labels, in the order of the probabilities.
        max_side: Longest side, in pixels, of the pictures that it was trained on, before they
            were stretched.
        options: What was asked for.
        network: What the base is.
        base: Pictures to features.
        scale: What is done to features.
        svm: The machine.
        training: What training chose and met.
    """

    classes: tuple[str, ...]
    max_side: int
    options: FeatureSvmOptions
    network: NetworkOptions
    base: "keras.Model"
    scale: Scale
    svm: Svm
    training: Mapping[str, Any]

    def probabilities(self, pictures: Iterable[np.ndarray]) -> np.ndarray:
        """(height, width, 3) uint8 RGB pictures to (n, classes) float64; rows sum to 1."""
        stretched = (stretch(pixels, self.network.image_size) for pixels in pictures)
        return self.svm.probabilities(self.scale(features_of(self.base, stretched)))

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder: JSON, ``.npy`` files, and Keras' file of plain numbers."""
        write_card(
            folder,
            self.options.kind,
            classes=self.classes,
            max_side=self.max_side,
            options=self.options.model_dump(mode="json"),
            network=self.network.model_dump(mode="json"),
            training=self.training,
        )
        self.base.save_weights(folder / BASE)
        for name, part in ((SCALE, self.scale), (SVM, self.svm)):
            (folder / name).mkdir()
            part.save(folder / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the base into any backend of Keras."""
        card = read_card(folder)
        network = NetworkOptions.model_validate(card["network"])
        number_anew()
        base = network.build_base()
        base.load_weights(folder / BASE)
        return cls(
            classes=tuple(card["classes"]),
            max_side=card["max_side"],
            options=FeatureSvmOptions(**card["options"]),
            network=network,
            base=base,
            scale=Scale.load(folder / SCALE),
            svm=Svm.load(folder / SVM),
            training=card["training"],
        )


def judge_features(folder: Path, features: Iterable[np.ndarray]) -> tuple[np.ndarray, tuple[str, ...]]:
    """What a stored model says of features that its base gave, without the base, and so without Keras.

    Args:
        folder: Of a `FeatureSvm`.
        features: Parts of them, (n, features) float32 each.

    Returns:
        (n of all parts, classes) float64 probabilities, and the classes.
    """
    scale, svm = Scale.load(folder / SCALE), Svm.load(folder / SVM)
    said = np.concatenate([svm.probabilities(scale(part)) for part in features])
    return said, tuple(read_card(folder)["classes"])


def train_feature_svm(
    features: np.ndarray,
    labels: Sequence[str],
    options: FeatureSvmOptions,
    network: NetworkOptions,
    base: "keras.Model",
    max_side: int,
) -> FeatureSvm:
    """Train on pictures whose features are at hand.

    Args:
        features: (n, features) float32 of the training pictures.
        labels: Their classes.
        options: The grid.
        network: What the base is.
        base: What gave the features.
        max_side: Longest side of the pictures, before they were stretched.

    Raises:
        ModelError: Too few classes or pictures.
    """
    classes, targets = np.unique(np.asarray(labels, str), return_inverse=True)
    scale = Scale.of(features)
    search = search_svm(scale(features), targets, options.svm)
    training = {"support_vectors": len(search.svm.support), **search.facts(options.svm)}
    return FeatureSvm(tuple(classes.tolist()), max_side, options, network, base, scale, search.svm, training)
