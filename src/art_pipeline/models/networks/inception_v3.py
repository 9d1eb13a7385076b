"""InceptionV3 (Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision")."""

from typing import Literal

from pydantic import Field

from art_pipeline.models.networks.application import ApplicationOptions


class InceptionV3Options(ApplicationOptions):
    """Options of a network of ``kind: inception_v3``.

    Attributes:
        image_size: Height and width, in pixels, to which images are resized; 299 in the paper.
    """

    APPLICATION = "InceptionV3"
    DESCRIPTION = "a convolutional network with the InceptionV3 architecture"
    WEIGHT_FILES = (
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
    )

    kind: Literal["inception_v3"] = "inception_v3"
    image_size: int = Field(default=299, ge=75)
