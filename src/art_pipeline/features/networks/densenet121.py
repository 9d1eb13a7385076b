"""DenseNet-121 (Huang et al. 2017, "Densely connected convolutional networks")."""

from typing import Literal

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions


class DenseNet121(Application):
    """The architecture, for frozen and for trained networks."""

    ARCHITECTURE = "densenet121"
    APPLICATION = "DenseNet121"
    WEIGHT_FILES = (
        "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "densenet121_weights_tf_dim_ordering_tf_kernels.h5",
    )
    PREPROCESSING = "torch"


class FrozenDenseNet121Options(DenseNet121, FrozenOptions):
    """Features of ``extractor: densenet121``."""

    extractor: Literal["densenet121"] = "densenet121"
