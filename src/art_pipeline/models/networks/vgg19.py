"""Trained VGG-19; the architecture is in `art_pipeline.features.networks.vgg19`."""

from typing import Literal

from art_pipeline.features.networks.vgg19 import VGG19
from art_pipeline.models.networks.application import ApplicationOptions


class VGG19Options(VGG19, ApplicationOptions):
    """Options of a network of ``kind: vgg19``."""

    DESCRIPTION = "a convolutional network with the VGG-19 architecture"

    kind: Literal["vgg19"] = "vgg19"
