"""Bag of visual words and an RBF SVM (Csurka et al. 2004, "Visual categorization with bags of keypoints")."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np

from art_pipeline.features.sift import Descriptors, SiftOptions, sift_descriptors
from art_pipeline.models.family import ModelFamily, Step
from art_pipeline.models.svm.base import SvmClassifier
from art_pipeline.models.svm.one_vs_rest import RbfSvm
from art_pipeline.models.svm.options import SvmOptions, TrainingSplits
from art_pipeline.models.svm.search import search_svm
from art_pipeline.models.svm.vocabulary import (
    VocabularyOptions,
    Weighting,
    fit_vocabulary,
    weight_histograms,
    word_histograms,
)


class BowSvmOptions(ModelFamily):
    """A model of ``kind: bow_svm``.

    Attributes:
        kind: Model family.
        train_on: Splits of the training set. Hyperparameters are chosen by cross-validation within it, so that it
            can include the validation split.
        weighting: Weighting of the word histograms; see `art_pipeline.models.svm.vocabulary.weight_histograms`.
        vocabulary: Clustering of the descriptors.
        svm: Grid search of the SVM.
    """

    DESCRIPTION = "an SVM with an RBF kernel on histograms of visual words (clustered SIFT descriptors)"

    kind: Literal["bow_svm"] = "bow_svm"
    train_on: TrainingSplits = ("train", "validation")
    weighting: Weighting = "hellinger"
    vocabulary: VocabularyOptions = VocabularyOptions()
    svm: SvmOptions = SvmOptions()

    def steps(self) -> list[Step]:
        """Return the steps of training and prediction, from stored descriptors."""
        from art_pipeline.models.svm.bow_svm_steps import bow_steps

        return bow_steps()

    @classmethod
    def load(cls, folder: Path) -> "BowSvm":
        """Load a trained model."""
        return BowSvm.load(folder)


@dataclass(frozen=True)
class BowSvm(SvmClassifier[RbfSvm]):
    """A trained bag-of-words SVM; a `Classifier`.

    Attributes:
        sift: Options of the SIFT detector.
        weighting: Weighting of the histograms.
        vocabulary: (words, 128) float32.
    """

    SVM_CLASS = RbfSvm

    sift: SiftOptions
    weighting: Weighting
    vocabulary: np.ndarray

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Return the (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images; rows sum to 1."""
        descriptors = [sift_descriptors(pixels, self.sift) for pixels in images]
        return self.probabilities_from_descriptors(descriptors, len(descriptors))

    def probabilities_from_descriptors(self, descriptors: Iterable[np.ndarray], total: int) -> np.ndarray:
        """Return the same from the (n, 128) uint8 descriptors of each of ``total`` images."""
        counts = word_histograms(descriptors, total, self.vocabulary)
        return self.svm.probabilities(weight_histograms(counts, self.weighting))

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder, as JSON and ``.npy`` files."""
        self._save(folder, "bow_svm", {}, sift=self.sift.model_dump(), weighting=self.weighting)
        np.save(folder / "vocabulary.npy", self.vocabulary)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved model."""
        metadata, attributes = cls._load(folder)
        return cls(
            **attributes,
            sift=SiftOptions(**metadata["sift"]),
            weighting=metadata["weighting"],
            vocabulary=np.load(folder / "vocabulary.npy", allow_pickle=False),
        )


def train_bow_svm(
    object_ids: Sequence[int],
    labels: Sequence[str],
    descriptors: Descriptors,
    options: BowSvmOptions,
    sift: SiftOptions,
    max_side: int,
) -> BowSvm:
    """Train a bag-of-words SVM on stored descriptors.

    Args:
        object_ids: Ids of the training images.
        labels: Their classes.
        descriptors: Descriptors of at least these images.
        options: Vocabulary, weighting and grid.
        sift: Options that the descriptors were extracted with.
        max_side: Longest side of the images, in pixels.

    Raises:
        ModelError: There are too few descriptors, classes or images.
    """
    classes, targets = np.unique(np.asarray(labels, str), return_inverse=True)
    vocabulary = fit_vocabulary(descriptors, object_ids, options.vocabulary)
    counts = word_histograms(descriptors.of(object_ids), len(object_ids), vocabulary)
    search = search_svm(weight_histograms(counts, options.weighting), targets, options.svm)
    training = {
        "images_without_key_points": int((counts.sum(axis=1) == 0).sum()),
        "support_vectors": len(search.svm.support),
        **search.summary(options.svm),
    }
    return BowSvm(
        classes=tuple(classes.tolist()),
        max_side=max_side,
        svm=search.svm,
        training=training,
        sift=sift,
        weighting=options.weighting,
        vocabulary=vocabulary,
    )
