"""MobileNet (Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision")."""

from typing import Literal

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions


class MobileNet(Application):
    """The architecture, for frozen and for trained networks."""

    ARCHITECTURE = "mobilenet"
    APPLICATION = "MobileNet"
    WEIGHT_FILES = ("mobilenet_1_0_224_tf_no_top.h5", "mobilenet_1_0_224_tf.h5")


class FrozenMobileNetOptions(MobileNet, FrozenOptions):
    """Features of ``extractor: mobilenet``."""

    extractor: Literal["mobilenet"] = "mobilenet"
