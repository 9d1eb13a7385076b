"""Trained VGG-16; the architecture is in `art_pipeline.features.networks.vgg16`."""

from typing import Literal

from art_pipeline.features.networks.vgg16 import VGG16
from art_pipeline.models.networks.application import ApplicationOptions


class VGG16Options(VGG16, ApplicationOptions):
    """Options of a network of ``kind: vgg16``."""

    DESCRIPTION = "a convolutional network with the VGG-16 architecture"

    kind: Literal["vgg16"] = "vgg16"
