"""Trained MobileNetV2; the architecture is in `art_pipeline.features.networks.mobilenet_v2`."""

from typing import Literal

from art_pipeline.features.networks.mobilenet_v2 import MobileNetV2
from art_pipeline.models.networks.application import ApplicationOptions


class MobileNetV2Options(MobileNetV2, ApplicationOptions):
    """Options of a network of ``kind: mobilenet_v2``."""

    DESCRIPTION = "a convolutional network with the MobileNetV2 architecture"

    kind: Literal["mobilenet_v2"] = "mobilenet_v2"
