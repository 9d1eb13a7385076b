"""The models by name. A new one is a line here, a builder, and a block in params.yaml."""

from importlib import import_module
from pathlib import Path

from art_pipeline.errors import ModelError
from art_pipeline.models.classifier import Classifier, read_card

# Kind of model, as its folder names it -> where its class is. Imported when it is needed.
CLASSIFIERS = {"bow_svm": "art_pipeline.models.bow_svm:BowSvm"}


def load_classifier(folder: Path) -> Classifier:
    """Load a trained model of any kind from its folder.

    Raises:
        ModelError: The folder holds no model, or one of a kind that is not known.
    """
    kind = read_card(folder).get("kind")
    if kind not in CLASSIFIERS:
        raise ModelError(f"{folder} holds a model of kind {kind!r}; known are {', '.join(CLASSIFIERS)}.")
    module, name = CLASSIFIERS[kind].split(":")
    try:
        return getattr(import_module(module), name).load(folder)
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(f"The model in {folder} is damaged ({error}). Train it again.") from error
