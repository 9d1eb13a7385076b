"""Record decisions, and take them back."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import IntegrityError, transaction

from art_pipeline.errors import did_you_mean
from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.sources.names import normal
from art_pipeline.web.catalogue.models import NAME, TrainedModel, Vocabulary
from art_pipeline.web.review.models import LABELLING, Action, Decision

SHORT = 10  # characters of a digest that are shown


class LabelError(Exception):
    """Labels that cannot be used as they are.

    Args:
        text: What is wrong, and what to do.
        new: New labels, which can be confirmed.
    """

    def __init__(self, text: str, new: tuple[str, ...] = ()):
        super().__init__(text)
        self.text, self.new = text, new


def decided_labels(
    action: str, facts: Mapping[str, Any], given: Sequence[str], vocabulary: Vocabulary, *, confirmed: bool
) -> list[str]:
    """Return the labels that an action decides, sorted.

    Args:
        action: One of `Action`.
        facts: What was shown.
        given: Labels that were typed or ticked, for ``overrule``.
        vocabulary: The task.
        confirmed: Whether new labels are confirmed.

    Raises:
        LabelError: A label is new and not confirmed, or it is not a label; or there are several for one class.
    """
    if action == Action.ACCEPT:
        return sorted(one[0] for one in facts["predicted"])
    if action == Action.KEEP:
        return _kept(facts["recorded"], vocabulary)
    if action != Action.OVERRULE:
        return []
    labels = sorted({normal(one) for one in given if normal(one)})
    if len(labels) != 1 and not vocabulary.is_multilabel:
        raise LabelError("Write one label." if labels else "Write a label, or choose one of the likely ones.")
    _check_labels(labels, vocabulary, confirmed)
    return labels


def record_decision(
    user: AbstractUser, facts: Mapping[str, Any], action: str, labels: Sequence[str], note: str = ""
) -> tuple[Decision, bool]:
    """Add a decision.

    Args:
        user: Who decides.
        facts: What was shown, as `shown.read_token` returns it.
        action: One of `Action`, but not ``undo``.
        labels: As `decided_labels` returns them.
        note: A remark.

    Returns:
        The decision, and whether it is new: the same form gives the same decision.
    """
    values = {
        "artwork_key": facts["artwork"],
        "task": facts["task"],
        "model": facts["model"],
        "record": facts["record"],
        "order": facts["order"],
        "user": user,
        "action": _action(action, facts, labels),
        "labels": list(labels),
        "shown": {key: value for key, value in facts.items() if key not in ("artwork", "task", "user", "form")},
        "note": note.strip()[:NAME],
        "settles": facts["settles"] if action in LABELLING else [],
    }
    return Decision.objects.get_or_create(form=facts["form"], defaults=values)


def undo(decision: Decision) -> Decision | None:
    """Add a row that takes a decision back; None where that was done before."""
    values = {name: getattr(decision, name) for name in ("artwork_key", "task", "model", "record", "user")}
    try:
        with transaction.atomic():
            return Decision.objects.create(action=Action.UNDO, undoes=decision, **values)
    except IntegrityError:
        return None


def meanwhile(decision: Decision) -> list[str]:
    """Return a sentence for each other decision on the work, and one if the model was trained again meanwhile."""
    others = Decision.objects.in_force().filter(
        task=decision.task, artwork_key=decision.artwork_key, pk__lt=decision.pk, action__in=LABELLING
    )
    others = others.exclude(user=decision.user).exclude(pk__in=decision.settles).select_related("user")
    sentences = [_decided_too(one, decision) for one in others]
    if not TrainedModel.objects.filter(name=decision.model, record=decision.record, is_current=True).exists():
        sentences.append(
            f"{decision.model} was trained again while you looked. Your decision is kept with what you saw, the "
            f"prediction of record {decision.record[:SHORT]}."
        )
    return sentences


def _decided_too(other: Decision, own: Decision) -> str:
    when = "before you" if other.pk in own.shown["opinions"] else "meanwhile"
    result = "Both decisions are kept, as a conflict to settle."
    if not own.is_labelling or sorted(other.labels) == sorted(own.labels):
        result = "Both decisions are kept."
    return f"{other.user.get_username()} decided on this work {when}: {other.text}. {result}"


def _action(action: str, facts: Mapping[str, Any], labels: Sequence[str]) -> str:
    """Return ``accept`` or ``keep`` where typed labels are those."""
    if action == Action.OVERRULE and sorted(labels) == sorted(one[0] for one in facts["predicted"]):
        return str(Action.ACCEPT)
    if action == Action.OVERRULE and sorted(labels) == sorted(facts["recorded"]):
        return str(Action.KEEP)
    return action


def _kept(recorded: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    if len(recorded) != 1 and not vocabulary.is_multilabel:
        what = f"{len(recorded)} labels; choose one of them" if recorded else "no label; write one"
        raise LabelError(f"The record has {what}.")
    return sorted(recorded)


def _check_labels(labels: Sequence[str], vocabulary: Vocabulary, confirmed: bool) -> None:
    for label in labels:
        if len(label) > NAME:
            raise LabelError(f"A label has at most {NAME} characters, but this one has {len(label):,}. Shorten it.")
        if SEPARATOR in label or not label.isprintable():
            raise LabelError(f"{label!r} cannot be a label: it contains {SEPARATOR} or a control character.")
    known = set(vocabulary.terms.filter(name__in=labels).values_list("name", flat=True))
    new = tuple(label for label in labels if label not in known)
    if new and not confirmed:
        hint = did_you_mean(new[0], vocabulary.terms.values_list("name", flat=True))
        raise LabelError(f"{vocabulary} has no label {new[0]!r}.{hint} Correct it, or confirm it as new.", new)
