"""ResNet-50 (He et al. 2016, "Deep residual learning for image recognition")."""

from typing import Literal

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions


class ResNet50(Application):
    """The architecture, for frozen and for trained networks."""

    ARCHITECTURE = "resnet50"
    APPLICATION = "ResNet50"
    WEIGHT_FILES = (
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "resnet50_weights_tf_dim_ordering_tf_kernels.h5",
    )
    PREPROCESSING = "caffe"


class FrozenResNet50Options(ResNet50, FrozenOptions):
    """Features of ``extractor: resnet50``."""

    extractor: Literal["resnet50"] = "resnet50"
