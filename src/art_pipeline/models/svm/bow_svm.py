"""Bag of visual words and an RBF SVM (Csurka et al. 2004, "Visual categorization with bags of keypoints")."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np

from art_pipeline.features.extractor import ExtractorOptions
from art_pipeline.models.family import Step
from art_pipeline.models.features import FeatureFamily, StoredExtractors
from art_pipeline.models.svm.base import SvmClassifier
from art_pipeline.models.svm.one_vs_rest import RbfSvm
from art_pipeline.models.svm.options import SvmOptions, TrainingSplits
from art_pipeline.models.svm.search import search_svm
from art_pipeline.models.svm.vocabulary import (
    VocabularyOptions,
    Weighting,
    weight_histograms,
    word_histograms,
)
from art_pipeline.models.targets import TaskKind, classes_and_targets

VOCABULARY = "vocabulary.npy"


class BowSvmOptions(FeatureFamily):
    """A model of ``kind: bow_svm``.

    Attributes:
        kind: Model family.
        features: Name of one block of local descriptors in ``features:``.
        train_on: Splits of the training set. Hyperparameters are chosen by cross-validation within it, so that it
            can include the validation split.
        weighting: Weighting of the word histograms; see `art_pipeline.models.svm.vocabulary.weight_histograms`.
        vocabulary: Clustering of the descriptors.
        svm: Grid search of the SVM.
    """

    DESCRIPTION = "an SVM with an RBF kernel on histograms of visual words (clustered local descriptors)"

    kind: Literal["bow_svm"] = "bow_svm"
    train_on: TrainingSplits = ("train", "validation")
    weighting: Weighting = "hellinger"
    vocabulary: VocabularyOptions = VocabularyOptions()
    svm: SvmOptions = SvmOptions()

    def steps(self) -> list[Step]:
        """Return the steps of training and prediction, from stored descriptors."""
        from art_pipeline.models.svm.bow_svm_steps import bow_steps

        return bow_steps(self)

    def find_feature_problem(self, features: Mapping[str, ExtractorOptions]) -> str | None:
        """Return why the features have no visual words: they are not local descriptors, or several."""
        for name, options in features.items():
            if not options.LOCAL:
                return f"{name} ({options.extractor}) has one row per image, and bow_svm needs local descriptors"
        return None if len(features) == 1 else "bow_svm needs exactly one block of local descriptors"

    @classmethod
    def load(cls, folder: Path) -> "BowSvm":
        """Load a trained model."""
        return BowSvm.load(folder)


@dataclass(frozen=True)
class VisualWords:
    """A vocabulary, and the extractor of the local descriptors that it clusters.

    Attributes:
        extractors: The extractor.
        vocabulary: (words, length) float32.
    """

    extractors: StoredExtractors
    vocabulary: np.ndarray

    def count(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Return the (n, words) float32 word counts of (height, width, 3) uint8 RGB images."""
        (extractor,) = self.extractors.extractors
        images = list(images)
        return word_histograms(extractor.describe(images), len(images), self.vocabulary)

    def save(self, folder: Path) -> None:
        """Write both into the folder of a model."""
        self.extractors.save(folder)
        save_vocabulary(folder, self.vocabulary)

    @classmethod
    def load(cls, folder: Path, names: Iterable[str]) -> Self:
        """Load what `save` wrote."""
        return cls(StoredExtractors.load(folder, names), load_vocabulary(folder))


@dataclass(frozen=True)
class BowSvm(SvmClassifier[RbfSvm]):
    """A trained bag-of-words SVM; a `Classifier`.

    Attributes:
        options: Options of the model.
        words: The visual words.
    """

    SVM_CLASS = RbfSvm

    options: BowSvmOptions
    words: VisualWords

    def probabilities(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Return the (n, classes) float64 probabilities of (height, width, 3) uint8 RGB images."""
        return self.probabilities_from_counts(self.words.count(images))

    def probabilities_from_counts(self, counts: np.ndarray) -> np.ndarray:
        """Return the same from (n, words) word counts."""
        return self.svm.probabilities(weight_histograms(counts, self.options.weighting))

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder, as JSON and ``.npy`` files."""
        self._save(folder, self.options.kind, {}, options=self.options.model_dump(mode="json"))
        self.words.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a saved model."""
        metadata, attributes = cls._load(folder)
        options = BowSvmOptions(**metadata["options"])
        return cls(**attributes, options=options, words=VisualWords.load(folder, options.features))


def save_vocabulary(folder: Path, vocabulary: np.ndarray) -> None:
    """Write a (words, length) float32 vocabulary into a folder."""
    np.save(folder / VOCABULARY, vocabulary)


def load_vocabulary(folder: Path) -> np.ndarray:
    """Read what `save_vocabulary` wrote."""
    vocabulary: np.ndarray = np.load(folder / VOCABULARY, allow_pickle=False)
    return vocabulary


def train_bow_svm(  # noqa: PLR0913, PLR0917
    counts: np.ndarray,
    labels: Sequence[str],
    options: BowSvmOptions,
    words: VisualWords,
    max_side: int,
    kind: TaskKind = "multiclass",
    groups: np.ndarray | None = None,
) -> BowSvm:
    """Train a bag-of-words SVM on word counts.

    Args:
        counts: (n, words) word counts of the training images.
        labels: Their labels, as in the manifest.
        options: Weighting and grid.
        words: The visual words that were counted.
        max_side: Longest side of the images, in pixels.
        kind: Kind of the task.
        groups: (n,) int64, images that are in the same fold; None where each is on its own.

    Raises:
        ModelError: There are too few classes or images.
    """
    classes, targets = classes_and_targets(labels, kind)
    search = search_svm(weight_histograms(counts, options.weighting), targets, options.svm, groups)
    training = {
        "images_without_key_points": int((counts.sum(axis=1) == 0).sum()),
        "support_vectors": len(search.svm.support),
        **search.summary(options.svm),
    }
    return BowSvm(
        classes=classes,
        max_side=max_side,
        training=training,
        **search.attributes(classes, targets, options.thresholds),
        options=options,
        words=words,
    )
