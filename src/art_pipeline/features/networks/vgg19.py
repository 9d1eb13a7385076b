"""VGG-19 (Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition")."""

from typing import Literal

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions


class VGG19(Application):
    """The architecture, for frozen and for trained networks."""

    ARCHITECTURE = "vgg19"
    APPLICATION = "VGG19"
    WEIGHT_FILES = ("vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "vgg19_weights_tf_dim_ordering_tf_kernels.h5")
    PREPROCESSING = "caffe"


class FrozenVGG19Options(VGG19, FrozenOptions):
    """Features of ``extractor: vgg19``."""

    extractor: Literal["vgg19"] = "vgg19"
