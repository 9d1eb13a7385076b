"""MobileNetV2 (Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks"), as Keras has it."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from art_pipeline.models.networks.application import ApplicationOptions

if TYPE_CHECKING:
    import keras


class MobileNetV2Options(ApplicationOptions):
    """A network of ``kind: mobilenet_v2``.

    Attributes:
        image_size: Height and width, in pixels, to which images are stretched; the paper's is 224.
    """

    WEIGHT_FILES: ClassVar[dict[bool, str]] = {
        False: "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        True: "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    }

    kind: Literal["mobilenet_v2"] = "mobilenet_v2"
    image_size: int = Field(default=224, ge=32)

    def build_application(self, **settings: Any) -> "keras.Model":
        """MobileNetV2 with the settings of ``keras.applications.MobileNetV2``."""
        from keras.applications import MobileNetV2

        return MobileNetV2(**settings)
