"""Trained ResNet-18; the architecture is in `art_pipeline.features.networks.resnet18`."""

from typing import Literal

from art_pipeline.features.networks.resnet18 import ResNet18
from art_pipeline.models.networks.application import ApplicationOptions


class ResNet18Options(ResNet18, ApplicationOptions):
    """Options of a network of ``kind: resnet18``."""

    DESCRIPTION = "a convolutional network with the ResNet-18 architecture"

    kind: Literal["resnet18"] = "resnet18"
