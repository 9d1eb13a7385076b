"""Networks of ``keras.applications``, with random or pretrained weights.

The base can be frozen (``trainable_layers: 0``), fine-tuned in its last layers, or trained as a whole.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from art_pipeline.common.progress import parameter
from art_pipeline.errors import ModelError, did_you_mean
from art_pipeline.models.family import ModelFamily, Reference
from art_pipeline.models.networks.family import NetworkOptions

if TYPE_CHECKING:
    import keras

NAMED_WEIGHTS = ("random", "imagenet")  # any other value is a path
MAP_RANK = 4  # images, height, width, channels


class ApplicationOptions(NetworkOptions):
    """Options of networks of ``keras.applications``.

    Attributes:
        weights: Initial weights of the base: ``random``, ``imagenet``, or the path of a file of Keras
            weights of the same architecture.
        start_from: Name of another model of the same kind, whose trained base and head are the initial weights,
            in place of ``weights``: the head is trained on a frozen base first, and both are fine-tuned then.
            Null for none.
        feature_layers: Layers, by Keras' names in a new process, whose global average pooling gives the
            features, concatenated in this order; none for the last layer. Layers that none of them needs are
            left out. Intermediate layers transfer better to tasks unlike the original one (Yosinski et al. 2014;
            Azizpour et al. 2016).
        trainable_layers: ``all``, or the number of last layers of the base that are trained, in the order of
            Keras' ``layers``, which includes layers without weights (activation, pooling). With 0 the base is
            frozen: its features of each image are computed once, and only the head is trained.
        keep_batch_norm: Whether batch normalization layers keep their weights and moving statistics, also in
            trainable layers, as is usual in fine-tuning.
        batch_norm_momentum: Momentum of the moving statistics of trainable batch normalization layers; lower for
            short training.
        standardise: Whether features of a frozen base are standardized to mean 0 and variance 1 over the training
            images. Random weights need it. A model that starts from such a model keeps its means and variances.
        hidden_units: Units of a ReLU layer between features and output layer; 0 for none.
        dropout: Dropout rate of features and of hidden units.
    """

    APPLICATION: ClassVar[str]  # name of the function in keras.applications
    WEIGHT_FILES: ClassVar[tuple[str, str]]  # Keras' names of its ImageNet weights, without and with the top

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
    def _are_unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if repeated := {one for one in value if value.count(one) > 1}:
            raise ValueError(f"feature_layers holds {min(repeated)!r} twice")
        return value

    @model_validator(mode="after")
    def _standardises_fixed_features(self) -> Self:
        if self.standardise and not (self.frozen or self.start_from):
            raise ValueError(
                "standardise needs a frozen base, or the means and variances of a model to start from: set "
                "trainable_layers to 0, or start_from to such a model"
            )
        return self

    @model_validator(mode="after")
    def _augments_only_before_trained_layers(self) -> Self:
        if self.random_augmentation and self.frozen:
            raise ValueError(
                "random_augmentation needs a base that is not frozen: set trainable_layers to 1 or more, or use "
                "augmented: true instead"
            )
        return self

    @model_validator(mode="after")
    def _has_one_start(self) -> Self:
        if self.start_from and self.weights != "random":
            raise ValueError("a model that starts from another takes no weights: set weights to random")
        if self.start_from and self.frozen:
            raise ValueError("a model that starts from another needs layers to train: set trainable_layers above 0")
        return self

    @property
    def frozen(self) -> bool:
        """Whether the base is not trained, so that the features of an image are computed only once."""
        return self.trainable_layers == 0

    @property
    def initial_weights(self) -> dict[str, str]:
        """The data set with the initial weights, by the argument of the training step."""
        return {"start": f"{self.start_from}.model"} if self.start_from else {"weights": "weights"}

    @property
    def read_paths(self) -> tuple[str, ...]:
        """The file of initial weights, if any."""
        return () if self.weights in NAMED_WEIGHTS else (self.weights,)

    def references(self) -> list[Reference]:
        """Return the model that this one starts from."""
        return [Reference("start_from", self.start_from, self._problem_of_start)] if self.start_from else []

    def _problem_of_start(self, start: ModelFamily) -> str | None:
        """Return why this model cannot start from another one."""
        if not isinstance(start, ApplicationOptions) or start.kind != self.kind:
            return f"it is not of kind {self.kind}"
        for key in ("feature_layers", "standardise", "hidden_units"):  # which decide the shapes of the weights
            if getattr(start, key) != getattr(self, key):
                return f"its {key} differs; set both to the same value"
        if set(start.train_on) - set(self.train_on):
            return (
                "it has trained on the validation split, by which this model would stop early; set train_on to [train, "
                "validation] here too"
            )
        return None

    def build_application(self, **settings: Any) -> "keras.Model":
        """Build the network; ``settings`` are the arguments of its function in ``keras.applications``."""
        import keras

        application: keras.Model = getattr(keras.applications, self.APPLICATION)(**settings)
        return application

    def preprocess(self, pixels: "keras.KerasTensor") -> "keras.KerasTensor":
        """Scale pixels as the ImageNet weights expect them: to the range from -1 to 1, unless overridden.

        Args:
            pixels: (n, size, size, 3), from 0 to 255.
        """
        import keras

        return keras.layers.Rescaling(1 / 127.5, offset=-1)(pixels)

    def build_base(self) -> "keras.Model":
        """Build the base as far as ``feature_layers``."""
        return self.cut(self.build_whole())

    def build_whole(self) -> "keras.Model":
        """Build a base up to the network's last pooling layer, whatever ``feature_layers`` are."""
        import keras

        pixels = keras.Input((self.image_size, self.image_size, 3))
        scaled = self.preprocess(pixels)
        whole = self.build_application(include_top=False, weights=None, input_tensor=scaled, pooling="avg")
        for layer in whole.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = self.batch_norm_momentum
        return keras.Model(pixels, whole.output, name="base")

    def cut(self, whole: "keras.Model") -> "keras.Model":
        """Cut a whole base at ``feature_layers``; both share their layers.

        Returns:
            (n, size, size, 3) pixels to (n, sum of the layers' channels).

        Raises:
            ModelError: The network has no such layer, or its output is not a feature map.
        """
        import keras

        if not self.feature_layers:
            return whole
        averages = [keras.layers.GlobalAveragePooling2D(name=f"{name}_average")(x) for name, x in self._maps(whole)]
        features = averages[0] if len(averages) == 1 else keras.layers.Concatenate(name="features")(averages)
        return keras.Model(whole.input, features, name="base")

    def _maps(self, whole: "keras.Model") -> Iterator[tuple[str, "keras.KerasTensor"]]:
        """Yield name and (n, height, width, channels) output of each of ``feature_layers``."""
        known = {layer.name: layer.output for layer in whole.layers if len(layer.output.shape) == MAP_RANK}
        for name in self.feature_layers:
            if name not in known:
                raise ModelError(
                    f"{parameter('feature_layers')} cannot hold {name!r}: {self.kind} has no layer of this name whose "
                    f"output is a feature map.{did_you_mean(name, known)} Keras' summary() of the network lists the "
                    "layers."
                )
            yield name, known[name]

    def build_head(self, features: int, classes: int) -> "keras.Model":
        """Build the head: optional standardization and hidden layer, dropout, softmax."""
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
        """Freeze all but the last ``trainable_layers``; frozen batch normalization keeps its moving statistics."""
        import keras

        if self.trainable_layers != "all":
            for layer in base.layers[: max(len(base.layers) - self.trainable_layers, 0)]:
                layer.trainable = False
        if self.keep_batch_norm:
            for layer in base.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.trainable = False
