"""A head of dense layers on features, such as the averages of a frozen network's layers."""

from pathlib import Path
from typing import Literal

from art_pipeline.features.networks.inference import BATCH
from art_pipeline.models.classifier import Classifier
from art_pipeline.models.family import Step
from art_pipeline.models.features import FeatureFamily
from art_pipeline.models.networks.family import HeadLayers, KerasFamily


class HeadOptions(HeadLayers, KerasFamily, FeatureFamily):
    """Options of a model of ``kind: head``.

    Attributes:
        kind: Model family.
        features: Names of blocks of ``features:``, each with one row per image; they are concatenated.
        augmented: Whether to train on the features of the images of the ``augment`` stage too.
        standardise: Whether features are standardised to mean 0 and variance 1 over the training images. Features of
            random weights, and those of several extractors, need it.
    """

    DESCRIPTION = "a head of dense layers on features"

    kind: Literal["head"] = "head"

    @property
    def prediction_batch(self) -> int:
        """Number of images per batch of prediction."""
        return BATCH

    def steps(self) -> list[Step]:
        """Return the steps of training and prediction, from stored features."""
        from art_pipeline.models.networks.head_steps import head_steps

        return head_steps(self)

    @classmethod
    def load(cls, folder: Path) -> Classifier:
        """Load a trained head, into any backend of Keras."""
        from art_pipeline.models.networks.trained_head import TrainedHead

        return TrainedHead.load(folder)
