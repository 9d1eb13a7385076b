"""Decisions without a page."""

from art_pipeline.web.catalogue.models import Prediction
from art_pipeline.web.review.models import Action, Decision, Order


def add_decision(user, prediction: Prediction, action=Action.ACCEPT, labels=None, **more) -> Decision:
    """Add a decision on a prediction, as if it had been shown; ``more`` are fields, or facts that were shown."""
    model = prediction.model
    predicted = [[name, prediction.probabilities.get(name), prediction.accepted] for name in prediction.labels]
    shown = {"predicted": predicted, "recorded": [], "opinions": [], "settles": [], "works": "all", "class": ""}
    shown |= {name: more.pop(name) for name in ("recorded", "works", "class") if name in more}
    if labels is None:
        labels = prediction.labels if action == Action.ACCEPT else []
    values = {"order": Order.UNCERTAIN, "user": user, "action": action, "labels": labels, "shown": shown} | more
    return Decision.objects.create(
        artwork_key=prediction.artwork.key,
        task=model.vocabulary.name,
        model=model.name,
        record=model.record,
        **values,
    )
