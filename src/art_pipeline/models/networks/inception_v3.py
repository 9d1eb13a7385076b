"""Trained InceptionV3; the architecture is in `art_pipeline.features.networks.inception_v3`."""

from typing import Literal

from art_pipeline.features.networks.inception_v3 import InceptionV3
from art_pipeline.models.networks.application import ApplicationOptions


class InceptionV3Options(InceptionV3, ApplicationOptions):
    """Options of a network of ``kind: inception_v3``."""

    DESCRIPTION = "a convolutional network with the InceptionV3 architecture"

    kind: Literal["inception_v3"] = "inception_v3"
