"""MobileNetV2 (Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks")."""

from typing import Literal

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions


class MobileNetV2(Application):
    """The architecture, for frozen and for trained networks."""

    ARCHITECTURE = "mobilenet_v2"
    APPLICATION = "MobileNetV2"
    WEIGHT_FILES = (
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    )


class FrozenMobileNetV2Options(MobileNetV2, FrozenOptions):
    """Features of ``extractor: mobilenet_v2``."""

    extractor: Literal["mobilenet_v2"] = "mobilenet_v2"
