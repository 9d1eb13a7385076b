"""InceptionV3 (Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision"), as Keras has it."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from art_pipeline.models.networks.application import ApplicationOptions

if TYPE_CHECKING:
    import keras


class InceptionV3Options(ApplicationOptions):
    """A network of ``kind: inception_v3``.

    Attributes:
        image_size: Height and width, in pixels, to which images are stretched; the paper's is 299.
    """

    WEIGHT_FILES: ClassVar[dict[bool, str]] = {
        False: "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        True: "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
    }

    kind: Literal["inception_v3"] = "inception_v3"
    image_size: int = Field(default=299, ge=75)

    def build_application(self, **settings: Any) -> "keras.Model":
        """InceptionV3 with the settings of ``keras.applications.InceptionV3``."""
        from keras.applications import InceptionV3

        return InceptionV3(**settings)
