"""Works of the predicted class that a model sees like a new image."""

import math
from collections.abc import Mapping

from art_pipeline.web.catalogue.importing.names import shortened
from art_pipeline.web.catalogue.models import Image, Prediction, TrainedModel

CANDIDATES, SHOWN = 100, 6


def similar_works(model: TrainedModel, image: Image, probabilities: Mapping[str, float]) -> list[Prediction]:
    """Return the predictions of the nearest works that are recorded with the most probable class, and predicted so.

    The candidates have the nearest probability of that class; the distance is the sum of the absolute differences of
    all probabilities.
    """
    label, probability = next(iter(probabilities.items()))
    term = model.vocabulary.terms.filter(name=shortened(label)).first()
    of_class = model.predictions.filter(term=term, artwork__labels__term=term, artwork__image__isnull=False)
    of_class = of_class.exclude(artwork__image=image).select_related("artwork__image")
    above = of_class.filter(probability__gte=probability).order_by("probability")[:CANDIDATES]
    below = of_class.filter(probability__lt=probability).order_by("-probability")[:CANDIDATES]
    found = {one.artwork_id: one for one in [*above, *below]}
    return sorted(found.values(), key=lambda one: _distance(one.probabilities, probabilities))[:SHOWN]


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    # fsum, as a set has another order in another process
    return math.fsum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in {*one, *other})
