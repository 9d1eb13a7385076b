"""ResNet-18 (He et al. 2016, "Deep residual learning for image recognition", table 1), which Keras does not have.

Shortcuts between maps of different sizes are projections (option B of the paper), and initial weights
those of He et al. 2015.
"""

from typing import TYPE_CHECKING, Any, Literal

from art_pipeline.features.networks.application import Application
from art_pipeline.features.networks.frozen import FrozenOptions

if TYPE_CHECKING:
    import keras

STAGES, BLOCKS = (64, 128, 256, 512), 2
IMAGENET_CLASSES = 1000


class ResNet18(Application):
    """The architecture, for frozen and for trained networks.

    Its ImageNet weights do not come with Keras: give an ONNX or Keras file.
    """

    ARCHITECTURE = "resnet18"
    PREPROCESSING = "torch"

    def build_application(self, **settings: Any) -> "keras.Model":
        """Build the network, with the arguments of a function of ``keras.applications``."""
        import keras
        from keras import layers

        pixels = settings.get("input_tensor")
        pixels = keras.Input(self.input_shape) if pixels is None else pixels
        x = _convolve(pixels, 64, 7, 2, "conv1")
        x = layers.MaxPooling2D(3, 2, "same", name="pool1")(x)
        for stage, filters in enumerate(STAGES, start=2):
            for block in range(1, BLOCKS + 1):
                x = _add_block(x, filters, 2 if stage > 2 and block == 1 else 1, f"conv{stage}_block{block}")  # noqa: PLR2004
        if settings.get("include_top") or settings.get("pooling") == "avg":
            x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        if settings.get("include_top"):
            x = layers.Dense(IMAGENET_CLASSES, activation="softmax", name="predictions")(x)
        return keras.Model(keras.utils.get_source_inputs(pixels), x)


def _convolve(
    x: "keras.KerasTensor", filters: int, size: int, strides: int, name: str, relu: bool = True
) -> "keras.KerasTensor":
    from keras import layers

    convolution = layers.Conv2D(
        filters, size, strides, "same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )
    x = layers.BatchNormalization(name=f"{name}_bn")(convolution(x))
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _add_block(x: "keras.KerasTensor", filters: int, strides: int, name: str) -> "keras.KerasTensor":
    from keras import layers

    is_same = strides == 1 and x.shape[-1] == filters
    shortcut = x if is_same else _convolve(x, filters, 1, strides, f"{name}_0", relu=False)
    y = _convolve(x, filters, 3, strides, f"{name}_1")
    y = _convolve(y, filters, 3, 1, f"{name}_2", relu=False)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, y]))


class FrozenResNet18Options(ResNet18, FrozenOptions):
    """Features of ``extractor: resnet18``."""

    extractor: Literal["resnet18"] = "resnet18"
