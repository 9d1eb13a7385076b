"""Trained ResNet-50; the architecture is in `art_pipeline.features.networks.resnet50`."""

from typing import Literal

from art_pipeline.features.networks.resnet50 import ResNet50
from art_pipeline.models.networks.application import ApplicationOptions


class ResNet50Options(ResNet50, ApplicationOptions):
    """Options of a network of ``kind: resnet50``."""

    DESCRIPTION = "a convolutional network with the ResNet-50 architecture"

    kind: Literal["resnet50"] = "resnet50"
