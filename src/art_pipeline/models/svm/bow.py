"""Bag of visual words and a support vector machine (Csurka et al. 2004).

SIFT key points, a k-means vocabulary, a histogram of words for each image, and one
RBF machine a class against the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from art_pipeline.common.options import Options
from art_pipeline.features.sift import Descriptors, SiftOptions, sift_descriptors
from art_pipeline.models.classifier import read_card, write_card
from art_pipeline.models.svm.options import Svm, SvmOptions
from art_pipeline.models.svm.search import search_svm
from art_pipeline.models.svm.vocabulary import VocabularyOptions, Weighting, histograms, learn_vocabulary, weight


class BowSvmOptions(Options):
    """A model of ``kind: bow_svm``.

    Attributes:
        kind: What kind of model it is.
        train_on: Splits that it learns from. It chooses its parameters by cross-validation
            inside them, so that it can use the images that networks keep for validation.
        weighting: What is done to a histogram; see `art_pipeline.models.svm.vocabulary.weight`.
        vocabulary: How descriptors become words.
        svm: The grid, and how it is searched.
    """

    kind: Literal["bow_svm"] = "bow_svm"
    train_on: tuple[Literal["train", "validation"], ...] = Field(default=("train", "validation"), min_length=1)
    weighting: Weighting = "hellinger"
    vocabulary: VocabularyOptions = VocabularyOptions()
    svm: SvmOptions = SvmOptions()


@dataclass(frozen=True)
class BowSvm:
    """A trained bag-of-words machine; a `Classifier`.

    Attributes:
        classes: The labels, in the order of the probabilities.
        max_side: Longest side, in pixels, of the images that it was trained on.
        sift: How key points are found.
        weighting: What is done to a histogram.
        vocabulary: (words, 128) float32.
        svm: The machine.
        training: What training chose and met.
    """

    classes: tuple[str, ...]
    max_side: int
    sift: SiftOptions
    weighting: Weighting
    vocabulary: np.ndarray
    svm: Svm
    training: Mapping[str, object]

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """(height, width, 3) uint8 RGB images to (n, classes) float64; rows sum to 1."""
        described = [sift_descriptors(pixels, self.sift) for pixels in images]
        return self.probabilities_of_described(described, len(described))

    def probabilities_of_described(self, descriptor_sets: Iterable[np.ndarray], total: int) -> np.ndarray:
        """The same for ``total`` images whose descriptors are at hand, (n, 128) uint8 each."""
        counts = histograms(descriptor_sets, total, self.vocabulary)
        return self.svm.probabilities(weight(counts, self.weighting))

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder, as JSON and ``.npy`` files."""
        write_card(
            folder,
            "bow_svm",
            classes=self.classes,
            max_side=self.max_side,
            sift=self.sift.model_dump(),
            weighting=self.weighting,
            training=self.training,
        )
        np.save(folder / "vocabulary.npy", self.vocabulary)
        (folder / "svm").mkdir(exist_ok=True)
        self.svm.save(folder / "svm")

    @classmethod
    def load(cls, folder: Path) -> "BowSvm":
        """Read what `save` wrote."""
        card = read_card(folder)
        return cls(
            classes=tuple(card["classes"]),
            max_side=card["max_side"],
            sift=SiftOptions(**card["sift"]),
            weighting=card["weighting"],
            vocabulary=np.load(folder / "vocabulary.npy", allow_pickle=False),
            svm=Svm.load(folder / "svm"),
            training=card["training"],
        )


def train_bow_svm(
    object_ids: Sequence[int],
    labels: Sequence[str],
    descriptors: Descriptors,
    options: BowSvmOptions,
    sift: SiftOptions,
    max_side: int,
) -> BowSvm:
    """Train on images whose descriptors are at hand.

    Args:
        object_ids: The training images, and no others.
        labels: Their classes.
        descriptors: Of at least these images.
        options: Vocabulary, weighting, grid.
        sift: How the descriptors were made.
        max_side: Longest side of the images they were made from.

    Raises:
        ModelError: Too few descriptors, classes or images.
    """
    classes, targets = np.unique(np.asarray(labels, str), return_inverse=True)
    vocabulary = learn_vocabulary(descriptors, object_ids, options.vocabulary)
    counts = histograms(descriptors.of(object_ids), len(object_ids), vocabulary)
    search = search_svm(weight(counts, options.weighting), targets, options.svm)
    training = {
        "images_without_key_points": int((counts.sum(axis=1) == 0).sum()),
        "support_vectors": len(search.svm.support),
        **search.facts(options.svm),
    }
    return BowSvm(tuple(classes.tolist()), max_side, sift, options.weighting, vocabulary, search.svm, training)
