"""Networks of ``keras.applications``: from scratch, or from weights that others trained.

A base whose weights come from elsewhere can stay as it is (``trainable_layers: 0``), learn
in its last layers, or learn as a whole.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from art_pipeline.common.progress import parameter
from art_pipeline.errors import ModelError, did_you_mean
from art_pipeline.models.networks.network import NetworkOptions

if TYPE_CHECKING:
    import keras

NAMED_WEIGHTS = ("random", "imagenet")  # any others are a file's path
MAP_RANK = 4  # images, height, width, channels


class ApplicationOptions(NetworkOptions):
    """What networks of ``keras.applications`` have beyond others.

    Attributes:
        weights: Where the base starts: ``random``, ``imagenet``, or the path of a file of Keras
            weights of the same network.
        start_from: Another model of this project, by name and of the same kind, from whose trained base
            and head this one starts, in place of ``weights``: a head is trained on a frozen base
            first, and both are tuned then. Null for none.
        feature_layers: Layers, as Keras names them in a new process, whose averages over the image are the
            features, side by side in this order; none for the last layer. What none of them needs is left
            out. The last layers of a network know the things that it was trained to tell apart, and earlier
            ones more of what other tasks need (Yosinski et al. 2014; Azizpour et al. 2016).
        trainable_layers: ``all``, or how many of the base's last layers learn, counted as Keras lists
            them, those without weights (activation, pooling) too. With 0 it stays as
            it is: its features of each image are computed once, and the head learns from them.
        keep_batch_norm: Whether batch normalisation keeps the means and scales that it came with also in
            layers that learn, as befits the small steps of tuning.
        batch_norm_momentum: Share of the old in the running means of batch normalisation, where
            it learns; lower is for short trainings.
        standardise: Whether a frozen base's features are brought to mean 0 and variance 1 over
            the training images. A random base's are useless without. A model that starts from such a one
            goes on with the means and variances of then.
        hidden_units: Units of a layer of rectified linear units between features and last layer; 0 for none.
        dropout: Share of features that are switched off in training, and of hidden units.
    """

    WEIGHT_FILES: ClassVar[dict[bool, str]]  # ImageNet's, as Keras names them: without the top and with it

    weights: str = "random"
    start_from: str | None = None
    feature_layers: tuple[str, ...] = ()
    trainable_layers: Annotated[int, Field(ge=0)] | Literal["all"] = "all"
    keep_batch_norm: bool = False
    batch_norm_momentum: float = Field(default=0.99, ge=0, lt=1)
    standardise: bool = False
    hidden_units: int = Field(default=0, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @field_validator("feature_layers")
    @classmethod
    def _each_layer_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if twice := {one for one in value if value.count(one) > 1}:
            raise ValueError(f"feature_layers holds {min(twice)!r} twice")
        return value

    @model_validator(mode="after")
    def _features_must_stay(self) -> Self:
        if self.standardise and not (self.frozen or self.start_from):
            raise ValueError(
                "standardise needs the features of a frozen base, or start_from a model that had them: set "
                "trainable_layers to 0, or start_from to such a model"
            )
        return self

    @model_validator(mode="after")
    def _altered_images_have_other_features(self) -> Self:
        if self.random_augmentation and self.frozen:
            raise ValueError(
                "random_augmentation needs a base that is not frozen: set trainable_layers to 1 or more, or "
                "augmented to true in its place"
            )
        return self

    @model_validator(mode="after")
    def _starts_once(self) -> Self:
        if self.start_from and self.weights != "random":
            raise ValueError("a model that starts from another takes no weights: set weights to random")
        if self.start_from and self.frozen:
            raise ValueError("a model that starts from another has layers to tune: set trainable_layers to 1 or more")
        return self

    @property
    def frozen(self) -> bool:
        """Whether the base learns nothing, so that its features of an image never change."""
        return self.trainable_layers == 0

    @property
    def read_paths(self) -> tuple[str, ...]:
        """The file of weights, where it is one."""
        return () if self.weights in NAMED_WEIGHTS else (self.weights,)

    @abstractmethod
    def build_application(self, **settings: Any) -> "keras.Model":
        """The network as Keras has it; ``settings`` as its function in ``keras.applications`` takes."""

    def build_base(self) -> "keras.Model":
        """(n, size, size, 3) pixels from 0 to 255, to (n, features)."""
        return self.cut(self.build_whole())

    def build_whole(self) -> "keras.Model":
        """A base to its network's last layer, whatever ``feature_layers`` are."""
        import keras

        pixels = keras.Input((self.image_size, self.image_size, 3))
        scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(pixels)  # as its ImageNet weights want it
        whole = self.build_application(include_top=False, weights=None, input_tensor=scaled, pooling="avg")
        for layer in whole.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = self.batch_norm_momentum
        return keras.Model(pixels, whole.output, name="base")

    def cut(self, whole: "keras.Model") -> "keras.Model":
        """A whole base as far as ``feature_layers``: (n, size, size, 3) pixels to (n, all their channels).

        It shares the layers of the whole.

        Raises:
            ModelError: The network has no such layer, or its output is no map over the image.
        """
        import keras

        if not self.feature_layers:
            return whole
        averages = [keras.layers.GlobalAveragePooling2D(name=f"{name}_average")(x) for name, x in self._maps(whole)]
        features = averages[0] if len(averages) == 1 else keras.layers.Concatenate(name="features")(averages)
        return keras.Model(whole.input, features, name="base")

    def _maps(self, whole: "keras.Model") -> Iterator[tuple[str, Any]]:
        """The output of each of ``feature_layers``: (n, height, width, channels)."""
        known = {layer.name: layer.output for layer in whole.layers if len(layer.output.shape) == MAP_RANK}
        for name in self.feature_layers:
            if name not in known:
                raise ModelError(
                    f"{parameter('feature_layers')} cannot hold {name!r}: {self.kind} has no layer of this name that "
                    f"gives a map over the image.{did_you_mean(name, known)} Keras' summary() of the network lists "
                    "them."
                )
            yield name, known[name]

    def build_head(self, features: int, classes: int) -> "keras.Model":
        """(n, features) to (n, classes) probabilities."""
        import keras
        from keras import layers

        standardise = [layers.Normalization()] if self.standardise else []
        hidden = (
            [layers.Dropout(self.dropout), layers.Dense(self.hidden_units, activation="relu")]
            if self.hidden_units
            else []
        )
        last = [layers.Dropout(self.dropout), layers.Dense(classes, activation="softmax")]
        return keras.Sequential([keras.Input((features,)), *standardise, *hidden, *last], name="head")

    def freeze(self, base: "keras.Model") -> None:
        """Make the layers of a base untrainable that are to stay as they are.

        Their batch normalisation then keeps the means that it came with.
        """
        import keras

        if self.trainable_layers != "all":
            for layer in base.layers[: max(len(base.layers) - self.trainable_layers, 0)]:
                layer.trainable = False
        if self.keep_batch_norm:
            for layer in base.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.trainable = False
