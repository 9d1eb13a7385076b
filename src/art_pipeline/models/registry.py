"""The kinds of models by name. A new network is a line here, a file beside, and a block in params.yaml."""

from importlib import import_module
from pathlib import Path

from art_pipeline.common.options import Options
from art_pipeline.errors import ModelError, did_you_mean
from art_pipeline.models.classifier import Classifier, read_card

# Kind -> where the class of its options is, which is imported when it is needed.
NETWORKS = {
    "alexnet": "art_pipeline.models.networks.alexnet:AlexNetOptions",
    "inception_v3": "art_pipeline.models.networks.inception_v3:InceptionV3Options",
    "mobilenet_v2": "art_pipeline.models.networks.mobilenet_v2:MobileNetV2Options",
}
OPTIONS = {
    "bow_svm": "art_pipeline.models.svm.bow:BowSvmOptions",
    "dense_svm": "art_pipeline.models.svm.dense:DenseSvmOptions",
    **NETWORKS,
    "feature_svm": "art_pipeline.models.svm.features:FeatureSvmOptions",
    "ensemble": "art_pipeline.models.ensemble:EnsembleOptions",
}
# Kind -> where the class of a trained one is.
CLASSIFIERS = {
    "bow_svm": "art_pipeline.models.svm.bow:BowSvm",
    "dense_svm": "art_pipeline.models.svm.dense:DenseSvm",
    **dict.fromkeys(NETWORKS, "art_pipeline.models.networks.network:Network"),
    "feature_svm": "art_pipeline.models.svm.features:FeatureSvm",
    "ensemble": "art_pipeline.models.ensemble:Ensemble",
}


def options_of_kind(kind: str) -> type[Options]:
    """The class of a kind's options.

    Raises:
        ModelError: The kind is not known.
    """
    if not isinstance(kind, str) or kind not in OPTIONS:
        raise ModelError(f"There is no model of kind {kind!r}.{did_you_mean(str(kind), OPTIONS)} {_known()}")
    return _import(OPTIONS[kind])


def load_classifier(folder: Path) -> Classifier:
    """Load a trained model of any kind from its folder.

    Raises:
        ModelError: The folder holds no model, or one of a kind that is not known.
    """
    kind = read_card(folder).get("kind")
    if kind not in CLASSIFIERS:
        raise ModelError(f"{folder} holds a model of kind {kind!r}. {_known()}")
    try:
        return _import(CLASSIFIERS[kind]).load(folder)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The model in {folder} is damaged ({error}). Train it again.") from error


def _known() -> str:
    return f"Known are {', '.join(OPTIONS)}."


def _import(place: str) -> type:
    module, name = place.split(":")
    return getattr(import_module(module), name)
