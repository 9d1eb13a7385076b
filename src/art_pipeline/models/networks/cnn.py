"""A convolutional network of any stack of convolutions, poolings and dense layers."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from art_pipeline.common.options import Options
from art_pipeline.models.networks.family import Activation, NetworkOptions

if TYPE_CHECKING:
    import keras


class ConvolutionOptions(Options):
    """A convolution with ReLU, and what follows it.

    Attributes:
        filters: Number of filters.
        size: Height and width of the filters, in pixels.
        stride: Distance of neighbouring positions, in pixels.
        padding: ``same`` keeps the size of the map at stride 1; ``valid`` takes only positions inside the map.
        batch_norm: Whether batch normalization comes before ReLU.
        pooling: Height and width of the windows of max pooling, without overlap; 0 for none.
        dropout: Dropout rate after pooling.
    """

    filters: int = Field(ge=1)
    size: int = Field(default=3, ge=1)
    stride: int = Field(default=1, ge=1)
    padding: Literal["same", "valid"] = "same"
    batch_norm: bool = False
    pooling: int = Field(default=0, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    def shrink(self, side: int) -> int:
        """Return the side of the map that comes from a map with a side; 0 or less where nothing is left.

        >>> ConvolutionOptions(filters=6, size=5, padding="valid", pooling=2).shrink(225)
        110
        """
        convolved = (side - (self.size if self.padding == "valid" else 1)) // self.stride + 1
        return convolved // max(self.pooling, 1)

    def build(self, x: "keras.KerasTensor") -> "keras.KerasTensor":
        """Apply the layers to (n, height, width, channels) maps."""
        from keras import layers

        x = layers.Conv2D(self.filters, self.size, self.stride, self.padding, kernel_initializer="he_normal")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x) if self.batch_norm else x)
        x = layers.MaxPooling2D(self.pooling)(x) if self.pooling else x
        return layers.Dropout(self.dropout)(x) if self.dropout else x


class CnnOptions(NetworkOptions):
    """Options of a network of ``kind: cnn``.

    Attributes:
        colour: ``rgb``, or ``grey`` by the luma of ITU-R BT.601.
        convolutions: Convolutions in their order, each with the pooling that follows it.
        pooling: ``flatten`` takes all values of the last map, ``average`` their averages over all positions.
        dense: Units of the hidden layers; the output layer comes after them.
        dropout: Dropout rate before each dense layer.
    """

    DESCRIPTION = "a convolutional network"

    kind: Literal["cnn"] = "cnn"
    image_size: int | tuple[int, int] = 180
    colour: Literal["rgb", "grey"] = "rgb"
    convolutions: tuple[ConvolutionOptions, ...] = Field(
        default=tuple(ConvolutionOptions(filters=filters, pooling=2) for filters in (16, 32, 64)), min_length=1
    )
    pooling: Literal["flatten", "average"] = "flatten"
    dense: tuple[Annotated[int, Field(ge=1)], ...] = (128,)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _leaves_a_map(self) -> Self:
        sides = self.sides
        for number, convolution in enumerate(self.convolutions, start=1):
            before, sides = sides, (convolution.shrink(sides[0]), convolution.shrink(sides[1]))
            if min(sides) < 1:
                raise ValueError(
                    f"image_size {self.image_size} is too small for the stack: convolution {number}, with its pooling, "
                    f"leaves nothing of a map of {before[0]} x {before[1]}. Raise image_size, or remove a pooling"
                )
        return self

    def build_base(self) -> "keras.Model":
        """Build the convolutions."""
        import keras
        from keras import layers, ops

        pixels = keras.Input((*self.sides, 3))
        x = ops.image.rgb_to_grayscale(pixels) if self.colour == "grey" else pixels
        x = layers.Rescaling(1 / 255)(x)
        for convolution in self.convolutions:
            x = convolution.build(x)
        pool = layers.Flatten if self.pooling == "flatten" else layers.GlobalAveragePooling2D
        return keras.Model(pixels, pool()(x), name="base")

    def build_head(self, features: int, classes: int, activation: Activation = "softmax") -> "keras.Model":
        """Build the dense layers."""
        import keras
        from keras import layers

        stack = []
        for units in self.dense:
            stack += [layers.Dropout(self.dropout), layers.Dense(units, "relu", kernel_initializer="he_normal")]
        last = [layers.Dropout(self.dropout), layers.Dense(classes, activation, dtype="float32")]
        return keras.Sequential([keras.Input((features,)), *stack, *last], name="head")
