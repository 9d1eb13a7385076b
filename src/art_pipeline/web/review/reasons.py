"""Why a work is in the queue, and what a prediction is worth, in words."""

from collections.abc import Mapping
from typing import Any

from art_pipeline.common.numbers import percent
from art_pipeline.evaluation.prediction_table import HELD_OUT, OUT_OF_FOLD
from art_pipeline.web.review.models import Order

ORIGINS = {
    HELD_OUT: "The model was not trained on this image.",
    OUT_OF_FOLD: "The probabilities are of a model of the same kind that was not trained on this image (out of fold).",
    "upload": "The model was not trained on this upload.",
}
TRAINED = "The model was trained on this image, so that its probabilities say little."


def percent_or_little(probability: float | None) -> str:
    """Return a probability as per cent; that of a label which is not among the most probable ones is unknown."""
    return "little" if probability is None else percent(probability)


def reason(facts: Mapping[str, Any], position: str = "") -> str:
    """Return why a work is in the queue.

    Args:
        facts: What is shown, as `shown.facts_of` returns it.
        position: Place in a random sample, such as ``12 of 400``.
    """
    if facts["settles"]:
        return "Reviewers gave different labels. Your decision settles the conflict."
    if not facts["order"]:
        return "You opened this work yourself."
    if facts["order"] == Order.RANDOM:
        return f"Drawn at random{f', {position}' if position else ''}: to measure how often predictions are wrong."
    if facts["order"] == Order.AUDIT and facts.get("finding"):
        return f"Suspected by the audit “{facts['finding']['audit']}”: {facts['finding']['evidence']}."
    if facts["order"] == Order.LABEL_ERRORS:
        return _label_error(facts)
    return _uncertain(facts)


def worth(facts: Mapping[str, Any]) -> str:
    """Return whether a prediction is accepted, by which threshold, and the risk for which it was chosen."""
    threshold, target = facts["threshold"], facts["target"]
    if facts.get("by_cost"):
        return _worth_by_cost(facts)
    if threshold is None:
        return "Not accepted: no probability of this class reached the target accuracy when thresholds were chosen."
    promise = f", chosen so that at most {percent(1 - target)} of accepted predictions are wrong" if target else ""
    states = {yes for _, _, yes in facts["predicted"]}
    if facts["is_multilabel"]:
        sure = [name for name, _, yes in facts["predicted"] if yes]
        return f"Accepted: {', '.join(sure) or 'none of the labels'}, each by its own threshold{promise}."
    state = "Accepted" if states == {True} else "Not accepted"
    return f"{state}: the threshold is {percent(threshold)}{promise}."


def _worth_by_cost(facts: Mapping[str, Any]) -> str:
    if facts["threshold"] is None:
        return "Not accepted: no expected cost of this class reached the target cost when thresholds were chosen."
    state = "Accepted" if all(yes for _, _, yes in facts["predicted"]) else "Not accepted"
    promise = "" if facts["target"] is None else f", for a mean cost of at most {facts['target']:g}"
    return f"{state}: the highest accepted expected cost is {facts['threshold']:.3g}{promise}."


def risk(facts: Mapping[str, Any]) -> str:
    """Return the risk that a class is wrong, or the expected number of wrong labels."""
    if facts["is_multilabel"]:
        return f"{facts['doubt']:.1f} labels are expected to be wrong or missing, by the model's probabilities"
    return f"{percent(facts['doubt'])} risk that it is wrong, by the model's probability"


def origin(facts: Mapping[str, Any]) -> str:
    """Return whether the model was trained on the image."""
    return ORIGINS.get(facts["origin"], TRAINED)


def _uncertain(facts: Mapping[str, Any]) -> str:
    if not facts["is_multilabel"] and len(facts["likely"]) > 1:
        (first, one), (second, other) = facts["likely"][:2]
        return f"The model is unsure: {percent(one)} {first}, {percent(other)} {second}."
    middle = min(facts["likely"], key=lambda item: abs(item[1] - 0.5))
    return f"The model is unsure of several labels, most of {middle[0]} ({percent(middle[1])})."


def _label_error(facts: Mapping[str, Any]) -> str:
    predicted = {name: probability for name, probability, _ in facts["predicted"]}
    recorded = dict(zip(facts["recorded"], facts["recorded_probability"], strict=True))
    parts = [
        f"{name} {percent_or_little(value)}, which is recorded"
        for name, value in recorded.items()
        if name not in predicted
    ]
    parts += [f"{name} {percent_or_little(value)}" for name, value in predicted.items() if name not in recorded]
    return f"The record may be wrong: the model gives {'; '.join(parts)}."
