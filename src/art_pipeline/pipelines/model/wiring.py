"""What each model's nodes are, and which data sets they read beside the manifest."""

from collections.abc import Callable
from dataclasses import dataclass, field

from art_pipeline.models.bow_svm import BowSvmOptions
from art_pipeline.options import Options
from art_pipeline.pipelines.model import bow_svm


@dataclass(frozen=True)
class Wiring:
    """How one model hangs in the pipeline.

    Attributes:
        options: The class of its block in params.yaml.
        train: (manifest, options, …) to a function that fills the model's folder.
        predict: (manifest, model, …) to the table of predictions.
        train_inputs: Names of the other arguments of ``train`` -> data sets.
        predict_inputs: Names of the other arguments of ``predict`` -> data sets.
    """

    options: type[Options]
    train: Callable
    predict: Callable
    train_inputs: dict[str, str] = field(default_factory=dict)
    predict_inputs: dict[str, str] = field(default_factory=dict)


# The name of a model is that of its block in params.yaml, its pipeline, and its folders.
MODELS = {
    "bow_svm": Wiring(
        BowSvmOptions,
        bow_svm.train,
        bow_svm.predict,
        train_inputs={
            "descriptors": "descriptors",
            "describe": "params:describe",
            "max_side": "params:download.max_side",
        },
        predict_inputs={"descriptors": "descriptors"},
    ),
}
