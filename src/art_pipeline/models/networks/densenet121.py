"""Trained DenseNet-121; the architecture is in `art_pipeline.features.networks.densenet121`."""

from typing import Literal

from art_pipeline.features.networks.densenet121 import DenseNet121
from art_pipeline.models.networks.application import ApplicationOptions


class DenseNet121Options(DenseNet121, ApplicationOptions):
    """Options of a network of ``kind: densenet121``."""

    DESCRIPTION = "a convolutional network with the DenseNet-121 architecture"

    kind: Literal["densenet121"] = "densenet121"
