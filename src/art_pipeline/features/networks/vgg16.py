"""VGG-16 (Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition")."""

from typing import Literal

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions


class VGG16(Application):
    """The architecture, for frozen and for trained networks."""

    ARCHITECTURE = "vgg16"
    APPLICATION = "VGG16"
    WEIGHT_FILES = ("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "vgg16_weights_tf_dim_ordering_tf_kernels.h5")
    PREPROCESSING = "caffe"


class FrozenVGG16Options(VGG16, FrozenOptions):
    """Features of ``extractor: vgg16``."""

    extractor: Literal["vgg16"] = "vgg16"
