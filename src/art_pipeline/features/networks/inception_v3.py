"""InceptionV3 (Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision")."""

from typing import Literal

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions


class InceptionV3(Application):
    """The architecture, for frozen and for trained networks."""

    ARCHITECTURE = "inception_v3"
    APPLICATION = "InceptionV3"
    WEIGHT_FILES = (
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
    )

    MIN_SIZE = 75

    image_size: int | tuple[int, int] = 299


class FrozenInceptionV3Options(InceptionV3, FrozenOptions):
    """Features of ``extractor: inception_v3``."""

    extractor: Literal["inception_v3"] = "inception_v3"
