"""What the page of a work shows, as it goes into the decision: signed, so that no form can claim another."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core import signing

from art_pipeline.web.audit.models import Finding
from art_pipeline.web.catalogue.models import ArtworkTerm, Origin, Prediction, TrainedModel
from art_pipeline.web.review.models import Order
from art_pipeline.web.review.opinions import Verdict
from art_pipeline.web.review.selection import Selection

SALT = "art_pipeline.review"
NONCE = 12  # bytes


def facts_of(prediction: Prediction, selection: Selection, verdict: Verdict | None) -> dict[str, Any]:
    """Return what is shown of a prediction, as JSON values.

    Args:
        prediction: With its artwork, term and second term.
        selection: By which it was found.
        verdict: The decisions of reviewers on the work in this task so far.

    Returns:
        * ``artwork``, ``task``, ``model``, ``record``: the keys of the prediction.
        * ``predicted``: label, probability and whether it is accepted (null without a threshold), of each predicted
          label.
        * ``likely``: label and probability of the most probable labels.
        * ``recorded``: recorded labels; ``recorded_probability``: of each, null where it is not among the likely ones.
        * ``threshold``: of the first predicted label, or null; ``target``: the accuracy that it was chosen for.
        * ``by_cost``: whether both are costs: the highest accepted expected cost, and the mean cost.
        * ``doubt``, ``origin``, ``split``: of the prediction; ``is_multilabel``.
        * ``order``, ``works``, ``class``, ``seed``: of the selection; ``order`` is empty for a single work.
        * ``finding``: audit, score and evidence, where the order is that of an audit.
        * ``opinions``: ids of the reviewers' decisions in force; ``settles``: the same where they are in conflict and
          the page shows them.
    """
    model = selection.model
    likely = sorted(prediction.probabilities.items(), key=lambda item: (-item[1], item[0]))
    probabilities = dict(likely)
    recorded = recorded_labels(prediction)
    opinions = [one.pk for one in verdict.decisions] if verdict else []
    return {
        "artwork": prediction.artwork.key,
        "task": selection.task.name,
        "model": model.name,
        "record": model.record,
        "predicted": [_predicted(name, probabilities, prediction, model) for name in prediction.labels],
        "likely": likely,
        "recorded": recorded,
        "recorded_probability": [probabilities.get(name) for name in recorded],
        "threshold": model.threshold_of(prediction.labels[0] if prediction.labels else likely[0][0]),
        "target": model.thresholds.get("target"),
        "by_cost": bool(model.thresholds.get("by_cost")),
        "is_multilabel": selection.task.is_multilabel,
        "doubt": prediction.doubt,
        "origin": prediction.origin,
        "split": prediction.split,
        "order": "" if selection.work else selection.order,
        "works": selection.works,
        "class": selection.label,
        "finding": finding_of(prediction, selection.task.name) if selection.order == Order.AUDIT else None,
        "seed": selection.seed if selection.order == Order.RANDOM else None,
        "opinions": opinions,
        "settles": opinions if verdict and verdict.is_conflict and selection.work else [],
    }


def finding_of(prediction: Prediction, task: str) -> dict[str, Any] | None:
    """Return score and evidence of the most suspect finding of an audit; None where there is none."""
    found = Finding.objects.filter(artwork=prediction.artwork_id, task=task).order_by("-score").first()
    return None if found is None else {"audit": found.name, "score": found.score, "evidence": found.evidence}


def recorded_labels(prediction: Prediction) -> list[str]:
    """Return the labels that the source's record gives an artwork in the task of a prediction, sorted."""
    links = ArtworkTerm.objects.filter(
        artwork=prediction.artwork_id, term__vocabulary=prediction.model.vocabulary_id, origin=Origin.SOURCE
    )
    return sorted(links.values_list("term__name", flat=True))


def sign(facts: Mapping[str, Any], user: int) -> str:
    """Return a token of what a user is shown; each has its own number, so that the same form is one decision."""
    return signing.dumps({**facts, "user": user, "form": secrets.token_hex(NONCE)}, salt=SALT, compress=True)


def read_token(token: str, user: int) -> dict[str, Any] | None:
    """Return what a token says; None where it is forged, of another user, or older than a session."""
    try:
        facts = signing.loads(token, salt=SALT, max_age=settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return None
    return dict(facts) if facts.get("user") == user else None


def _predicted(
    name: str, probabilities: Mapping[str, float], prediction: Prediction, model: TrainedModel
) -> tuple[str, float | None, bool | None]:
    probability = probabilities.get(name)
    if not model.vocabulary.is_multilabel:
        return name, probability, prediction.accepted
    if not model.thresholds or probability is None:
        return name, probability, None
    threshold = model.threshold_of(name)
    return name, probability, threshold is not None and probability >= threshold
