"""Labels of crops by a trained model."""

from collections.abc import Sequence
from dataclasses import dataclass

from art_pipeline.models.classifier import Classifier
from art_pipeline.models.pyfunc import predict_bodies


@dataclass(frozen=True)
class Label:
    """A predicted label.

    Attributes:
        label: The class, or the labels joined by ``|``; empty without a model.
        probability: Probability of the class, from 0 to 1; None without a model, and for a multi-label model.
    """

    label: str = ""
    probability: float | None = None


def labels_of(classifier: Classifier, crops: Sequence[bytes]) -> list[Label]:
    """Return the predicted label of each JPEG file."""
    if not crops:
        return []
    table = predict_bodies(classifier, crops)
    if "probability" not in table:
        return [Label(str(label)) for label in table["label"]]
    pairs = zip(table["label"], table["probability"], strict=True)
    return [Label(str(label), round(float(probability), 6)) for label, probability in pairs]
