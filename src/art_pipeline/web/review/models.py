"""Decisions of cataloguers. Rows are only ever added."""

from enum import StrEnum
from typing import Self

from django.conf import settings
from django.db import models

from art_pipeline.web.catalogue.models import NAME


class Choice(StrEnum):
    """A value with a label."""

    label: str

    def __new__(cls, value: str, label: str) -> Self:
        member = str.__new__(cls, value)
        member._value_, member.label = value, label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return values and labels, as Django wants them."""
        return [(one.value, one.label) for one in cls]


class Action(Choice):
    """What a cataloguer decides."""

    ACCEPT = "accept", "accept the prediction"
    KEEP = "keep", "keep the recorded label"
    OVERRULE = "overrule", "give another label"
    UNSURE = "unsure", "cannot tell"
    SKIP = "skip", "skip"
    UNDO = "undo", "undo a decision"


LABELLING = (Action.ACCEPT, Action.KEEP, Action.OVERRULE)


class Order(Choice):
    """Order of the queue."""

    UNCERTAIN = "uncertain", "Uncertain first"
    LABEL_ERRORS = "label_errors", "Suspected label errors first"
    AUDIT = "audit", "Findings of an audit first"
    RANDOM = "random", "Random, to audit"


class DecisionQuerySet(models.QuerySet):
    """Queries of decisions."""

    def in_force(self) -> Self:
        """Return the decisions that are not undone; without those that undo."""
        return self.filter(undone_by=None).exclude(action=Action.UNDO)


class Decision(models.Model):
    """A decision on a prediction. It names artwork, task and model by their own keys, so that an import keeps it.

    Attributes:
        record: Digest of the lineage record of the model that was shown.
        order: Order of the queue that showed the work; empty where it was opened on its own.
        labels: The decided labels; empty for ``skip``, ``unsure`` and ``undo``.
        shown: What the page showed; see `shown.facts_of`.
        undoes: The decision that an ``undo`` takes back.
        settles: Ids of the conflicting decisions that this one replaces.
        form: The form that it was sent by, so that the same form is one decision; null for ``undo``.
    """

    artwork_key = models.CharField(max_length=80)
    task = models.CharField(max_length=80)
    model = models.CharField(max_length=80)
    record = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    action = models.CharField(max_length=10, choices=Action.choices())
    order = models.CharField(max_length=16, choices=Order.choices(), blank=True)
    labels = models.JSONField(default=list)
    shown = models.JSONField(default=dict)
    note = models.CharField(max_length=NAME, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undone_by")
    settles = models.JSONField(default=list)
    form = models.CharField(max_length=32, unique=True, null=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["task", "artwork_key"]),
            models.Index(fields=["user", "-created"]),
            models.Index(fields=["task", "model", "created"]),
        ]

    @property
    def is_labelling(self) -> bool:
        """Whether it says what the labels are."""
        return self.action in LABELLING

    @property
    def text(self) -> str:
        """The labels, or why there are none."""
        return ", ".join(self.labels) or ("no label" if self.is_labelling else self.get_action_display())


class Preference(models.Model):
    """A reviewer's settings.

    Attributes:
        shortcuts: Whether single keys decide.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="review_preference")
    shortcuts = models.BooleanField(default=True)

    @classmethod
    def shortcuts_of(cls, user: models.Model) -> bool:
        """Return whether a user wants shortcuts."""
        found = cls.objects.filter(user=user).first()
        return found is None or found.shortcuts
