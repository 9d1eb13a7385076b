"""Networks of ``keras.applications``, with random or pretrained weights, fine-tuned in part or trained as a whole.

For a frozen network, whose features are computed once per image, see `art_pipeline.features.networks.frozen` and
`art_pipeline.models.networks.head`.
"""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from art_pipeline.features.networks.application import Application, require_unique
from art_pipeline.models.family import ModelFamily, Reference
from art_pipeline.models.networks.family import HeadLayers, NetworkOptions
from art_pipeline.models.networks.head import HeadOptions

if TYPE_CHECKING:
    import keras


class ApplicationOptions(Application, HeadLayers, NetworkOptions):
    """Options of networks of ``keras.applications``.

    Attributes:
        start_from: Name of another model, whose trained base and head are the initial weights, in place of
            ``weights``: one of the same kind, or of ``kind: head`` on the features of this network, so that the head
            is trained on a frozen base first, and both are fine-tuned then. From a model of another task, only the
            base is taken, with the means and variances of its features. Null for none.
        feature_layers: Layers, by Keras' names in a new process, whose pooled maps are the features, concatenated
            in this order; none for the last layer. Layers that none of them needs are left out.
        top_filters: Filters of a convolution of 3 x 3 with ReLU and new weights between the layer that gives the
            features and its average, as in networks for class activation maps (Zhou et al. 2016, section 3.1); 0 for
            none.
        trainable_layers: ``all``, or the number of last layers of the base that are trained, in the order of
            Keras' ``layers``, which includes layers without weights (activation, pooling); at least 1.
        keep_batch_norm: Whether batch normalization layers keep their weights and moving statistics, also in
            trainable layers, as is usual in fine-tuning.
        batch_norm_momentum: Momentum of the moving statistics of trainable batch normalization layers; lower for
            short training.
        standardise: As in the model that this one starts from, whose means and variances it keeps.
    """

    LAYERS_KEY = "feature_layers"

    start_from: str | None = None
    feature_layers: tuple[str, ...] = ()
    top_filters: int = Field(default=0, ge=0)
    trainable_layers: Annotated[int, Field(ge=0)] | Literal["all"] = "all"
    keep_batch_norm: bool = False
    batch_norm_momentum: float = Field(default=0.99, ge=0, lt=1)

    @field_validator("feature_layers")
    @classmethod
    def _are_unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return require_unique(value, "feature_layers")

    @field_validator("trainable_layers")
    @classmethod
    def _trains_layers(cls, value: int | str) -> int | str:
        if value == 0:
            raise ValueError(
                "a frozen network is an extractor now: define its features in a block of features:, and name them in "
                "a model of kind: head"
            )
        return value

    @model_validator(mode="after")
    def _standardises_as_its_start(self) -> Self:
        if self.standardise and not self.start_from:
            raise ValueError(
                "standardise needs the means and variances of a model to start from: set start_from to a model of "
                "kind: head, or standardise to false"
            )
        return self

    @model_validator(mode="after")
    def _has_one_start(self) -> Self:
        if self.start_from and self.weights != "random":
            raise ValueError("a model that starts from another takes no weights: set weights to random")
        return self

    @model_validator(mode="after")
    def _adds_to_one_layer(self) -> Self:
        if self.top_filters and (len(self.feature_layers) > 1 or self.pooling != "average" or self.include_top):
            raise ValueError(
                "top_filters adds a convolution after one layer, before its average: name at most one of "
                "feature_layers, set pooling to average and include_top to false; or set top_filters to 0"
            )
        return self

    @property
    def named_layers(self) -> tuple[str, ...]:
        """The layers whose pooled maps are the features."""
        return self.feature_layers

    @property
    def initial_weights(self) -> dict[str, str]:
        """The data set with the initial weights, by the argument of the training step."""
        return {"start": f"{self.start_from}.model"} if self.start_from else {"weights": "weights"}

    def references(self) -> list[Reference]:
        """Return the model that this one starts from."""
        return [Reference("start_from", self.start_from, self._problem_of_start)] if self.start_from else []

    def _problem_of_start(self, start: ModelFamily) -> str | None:
        """Return why this model cannot start from another one."""
        same_task = start.task == self.task  # otherwise the head is a new one
        keys = ["standardise", *(["hidden_units"] if same_task else [])]  # which decide the shapes of the weights
        if isinstance(start, HeadOptions):
            if len(start.features) > 1:
                return "it reads more features than those of one network"
            if self.top_filters:
                return "it has no further convolution; set top_filters to 0"
        elif isinstance(start, ApplicationOptions) and start.kind == self.kind:
            keys += ["feature_layers", "pooling", "include_top", "top_filters"]
        else:
            return f"it is not of kind {self.kind}, nor of kind head"
        for key in keys:
            if getattr(start, key) != getattr(self, key):
                return f"its {key} differs; set both to the same value"
        if same_task and set(start.train_on) - set(self.train_on):
            return (
                "it has trained on the validation split, by which this model would stop early; set train_on to [train, "
                "validation] here too"
            )
        return None

    def build_whole(self) -> "keras.Model":
        """Build a base up to the network's last pooling layer, with the momentum of batch normalization."""
        import keras

        whole = super().build_whole()
        for layer in whole.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = self.batch_norm_momentum
        return whole

    def cut(self, whole: "keras.Model") -> "keras.Model":
        """Cut a whole base at the named layers, and add the convolution of ``top_filters``; see `Application.cut`."""
        import keras
        from keras import layers

        if not self.top_filters:
            return super().cut(whole)
        ((_, maps),) = self.find_maps(whole, self.pooled_layers(whole), self.LAYERS_KEY)
        # With a seed of its own, as the weights of the other layers may come from a file.
        start = keras.initializers.HeNormal(seed=self.training.seed)
        maps = layers.Conv2D(
            self.top_filters, 3, padding="same", activation="relu", kernel_initializer=start, name="top_convolution"
        )(maps)
        return keras.Model(whole.input, layers.GlobalAveragePooling2D(name="top_average")(maps), name="base")

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
