"""The model families by kind. To add one, add a line to `FAMILIES`."""

from importlib import import_module
from pathlib import Path

from art_pipeline.errors import ModelError, did_you_mean
from art_pipeline.models.classifier import Classifier, read_metadata
from art_pipeline.models.decided import with_costs
from art_pipeline.models.family import ModelFamily

# Kind -> module and class, imported on first use.
FAMILIES = {
    "bow_svm": "art_pipeline.models.svm.bow_svm:BowSvmOptions",
    "dense_svm": "art_pipeline.models.svm.dense_svm:DenseSvmOptions",
    "alexnet": "art_pipeline.models.networks.alexnet:AlexNetOptions",
    "cnn": "art_pipeline.models.networks.cnn:CnnOptions",
    "inception_v3": "art_pipeline.models.networks.inception_v3:InceptionV3Options",
    "mobilenet_v2": "art_pipeline.models.networks.mobilenet_v2:MobileNetV2Options",
    "mobilenet": "art_pipeline.models.networks.mobilenet:MobileNetOptions",
    "densenet121": "art_pipeline.models.networks.densenet121:DenseNet121Options",
    "resnet18": "art_pipeline.models.networks.resnet18:ResNet18Options",
    "resnet50": "art_pipeline.models.networks.resnet50:ResNet50Options",
    "vgg16": "art_pipeline.models.networks.vgg16:VGG16Options",
    "vgg19": "art_pipeline.models.networks.vgg19:VGG19Options",
    "head": "art_pipeline.models.networks.head:HeadOptions",
    "feature_svm": "art_pipeline.models.svm.feature_svm:FeatureSvmOptions",
    "ensemble": "art_pipeline.models.ensemble:EnsembleOptions",
}


def family_of(kind: str) -> type[ModelFamily]:
    """Return the model family of a kind.

    Raises:
        ModelError: The kind is not registered.

    >>> family_of("ensemble").__name__
    'EnsembleOptions'
    """
    if not isinstance(kind, str) or kind not in FAMILIES:
        raise ModelError(
            f"There is no model of kind {kind!r}.{did_you_mean(str(kind), FAMILIES)} Known are {', '.join(FAMILIES)}."
        )
    module, name = FAMILIES[kind].split(":")
    family: type[ModelFamily] = getattr(import_module(module), name)
    return family


def load_classifier(folder: Path) -> Classifier:
    """Load a trained model of any family from its folder.

    Raises:
        ModelError: The folder holds no model, a damaged one, or one of a kind that is not registered.
    """
    family = family_of(read_metadata(folder).get("kind", ""))
    try:
        classifier = family.load(folder)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The model in {folder} is damaged ({error}). Train it again.") from error
    return with_costs(classifier, folder)


def uses_keras(folder: Path) -> bool:
    """Return whether a trained model holds a network, or reads features of one."""
    return any(folder.rglob("*.weights.h5"))
