"""Trained MobileNet; the architecture is in `art_pipeline.features.networks.mobilenet`."""

from typing import Literal

from art_pipeline.features.networks.mobilenet import MobileNet
from art_pipeline.models.networks.application import ApplicationOptions


class MobileNetOptions(MobileNet, ApplicationOptions):
    """Options of a network of ``kind: mobilenet``."""

    DESCRIPTION = "a convolutional network with the MobileNet architecture"

    kind: Literal["mobilenet"] = "mobilenet"
