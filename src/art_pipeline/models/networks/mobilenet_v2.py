"""MobileNetV2 (Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks")."""

from typing import Literal

from pydantic import Field

from art_pipeline.models.networks.application import ApplicationOptions


class MobileNetV2Options(ApplicationOptions):
    """Options of a network of ``kind: mobilenet_v2``.

    Attributes:
        image_size: Height and width, in pixels, to which images are resized; 224 in the paper.
    """

    APPLICATION = "MobileNetV2"
    DESCRIPTION = "a convolutional network with the MobileNetV2 architecture"
    WEIGHT_FILES = (
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    )

    kind: Literal["mobilenet_v2"] = "mobilenet_v2"
    image_size: int = Field(default=224, ge=32)
