"""The works of a selection, in its order."""

import hashlib
import heapq
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast

from art_pipeline.web.audit.models import Finding
from art_pipeline.web.catalogue.facet_index import facet_index
from art_pipeline.web.catalogue.models import Artwork, Prediction
from art_pipeline.web.review.models import Decision, Order
from art_pipeline.web.review.selection import Reviewed, Selection, Works

AUDIT = 400  # works of a random sample
SHOWN = 2  # the work, and the next one, whose image is loaded ahead
CACHED = 300  # seconds
SAMPLE_CACHED = 12 * 3600  # seconds; a further import draws again
SCORES = {Order.UNCERTAIN: "doubt", Order.LABEL_ERRORS: "label_error", Order.AUDIT: "finding"}


@dataclass(frozen=True)
class Progress:
    """How many works of a selection are reviewed.

    Attributes:
        reviewed: By the user; by anyone where the selection is of works that nobody reviewed.
        total: Works of the selection, reviewed or not.
    """

    reviewed: int
    total: int


def next_predictions(selection: Selection, user: int, count: int = SHOWN) -> list[Prediction]:
    """Return the next predictions to review.

    Args:
        selection: Which works, and their order.
        user: Id of the reviewer.
        count: How many, at most.
    """
    rows = of_selection(selection)
    if selection.work:
        return _with_artworks(rows.filter(artwork__key=selection.work), 1)
    if selection.order == Order.RANDOM:
        return _from_sample(selection, user, rows, count)
    rows = _after(_not_reviewed(rows, selection, user), selection)
    return _with_artworks(rows.order_by(F(SCORES[selection.order]).desc(), "artwork_id"), count)


def _with_artworks(rows: QuerySet[Prediction], count: int) -> list[Prediction]:
    """Return the first rows. A database may sort all of them where it joins other tables to a query in an order."""
    keys = list(rows.values_list("pk", flat=True)[:count])
    found = Prediction.objects.select_related("artwork__image", "term", "second").in_bulk(keys)
    return [found[one] for one in keys if one in found]


def progress(selection: Selection, user: int) -> Progress:
    """Count the works of a selection, and those that are reviewed."""
    whole = replace(selection, reviewed=Reviewed.ANY, work="")
    counted = selection if selection.reviewed != Reviewed.ANY else replace(selection, reviewed=Reviewed.MINE)
    if selection.order == Order.RANDOM:
        sample = audit_sample(whole)
        left = _not_reviewed(of_selection(whole).filter(artwork_id__in=sample), counted, user).count()
        return Progress(len(sample) - left, len(sample))
    reviewed = of_selection(whole).filter(artwork__in=_decided(counted, user)).count()
    return Progress(reviewed, _total(whole))


def _total(selection: Selection) -> int:
    """Count the works of a selection; those of all labels in one query, where each work has one."""
    if selection.label and not selection.task.is_multilabel:
        every = replace(selection, label="")
        rows = of_selection(every).order_by().values_list("term__name").annotate(n=Count("pk"))
        return int(cache.get_or_set(_key("counts", every), lambda: dict(rows), CACHED).get(selection.label, 0))
    return int(cache.get_or_set(_key("count", selection), of_selection(selection).count, CACHED))


def of_selection(selection: Selection) -> QuerySet[Prediction]:
    """Return the predictions of a selection, reviewed or not, in no order; only that of a single work if it is one."""
    rows = Prediction.objects.filter(model=selection.model)
    if selection.work:
        return rows
    if selection.label:
        rows = _with_label(rows, selection.label)
    if selection.order == Order.LABEL_ERRORS:
        rows = rows.filter(label_error__isnull=False)
    if selection.order == Order.AUDIT:
        rows = with_findings(rows, selection.task.name)
    wanted = {
        Works.ALL: Q(),
        Works.ACCEPTED: Q(accepted=True),
        Works.REJECTED: Q(accepted=False) | Q(accepted=None),
        Works.DISAGREE: Q(is_correct=False),
    }
    return rows.filter(wanted[selection.works])


def with_findings(rows: QuerySet[Prediction], task: str) -> QuerySet[Prediction]:
    """Return the predictions of works that an audit of a task suspects, with its score as ``finding``."""
    findings = Finding.objects.filter(task=task).order_by("-score")
    scores = findings.filter(artwork=OuterRef("artwork_id")).values("score")[:1]
    return rows.filter(artwork_id__in=findings.order_by().values("artwork_id")).annotate(finding=Subquery(scores))


def _with_label(rows: QuerySet[Prediction], label: str) -> QuerySet[Prediction]:
    if connection.features.supports_json_field_contains:
        return rows.filter(labels__contains=[label])
    # SQLite has no such lookup, but stores the text as it is.
    return rows.annotate(text=Cast("labels", TextField())).filter(text__contains=json.dumps(label))


def audit_sample(selection: Selection) -> list[int]:
    """Return the artworks of a random sample, in random order; the same after an import again.

    Returns:
        Rows of at most `AUDIT` artworks.
    """

    def draw() -> list[int]:
        rows = of_selection(selection).values_list("artwork__key", "artwork_id")
        return random_sample(rows.iterator(), selection.seed, AUDIT)

    imported = f"sample-{facet_index().version[0]}"
    return list(cache.get_or_set(_key(imported, selection), draw, SAMPLE_CACHED))


def random_sample(works: Iterable[tuple[str, int]], seed: int, size: int) -> list[int]:
    """Return the rows of a simple random sample of works, by digests of their keys.

    Args:
        works: Key and row of each.
        seed: Random seed.
        size: Number of works, or all where there are fewer.

    >>> random_sample([("a", 1), ("b", 2), ("c", 3)], seed=0, size=2)
    [2, 1]
    """
    drawn = heapq.nsmallest(size, ((hashlib.sha256(f"{seed} {key}".encode()).digest(), row) for key, row in works))
    return [row for _, row in drawn]


def _from_sample(selection: Selection, user: int, rows: QuerySet[Prediction], count: int) -> list[Prediction]:
    sample = audit_sample(selection)
    left = set(_not_reviewed(rows.filter(artwork_id__in=sample), selection, user).values_list("artwork_id", flat=True))
    wanted = [row for row in _rest(sample, selection.after) if row in left][:count]
    found = {one.artwork_id: one for one in _with_artworks(rows.filter(artwork_id__in=wanted), count)}
    return [found[row] for row in wanted if row in found]


def _rest(sample: Sequence[int], after: int) -> Sequence[int]:
    return sample[sample.index(after) + 1 :] if after in sample else sample


def _not_reviewed(rows: QuerySet[Prediction], selection: Selection, user: int) -> QuerySet[Prediction]:
    """Leave out reviewed works.

    In a random order, those that were reviewed in another order stay: the sample would not be random without them.
    """
    if selection.reviewed == Reviewed.ANY:
        return rows
    return rows.exclude(artwork__in=_decided(selection, user))


def _decided(selection: Selection, user: int) -> QuerySet[Artwork]:
    """Return the rows of the works with a decision in force: by the user, or by anyone."""
    decisions = Decision.objects.in_force().filter(task=selection.task.name)
    if selection.order == Order.RANDOM:
        decisions = decisions.filter(order=Order.RANDOM, model=selection.model.name, record=selection.model.record)
    if selection.reviewed == Reviewed.MINE:
        decisions = decisions.filter(user=user)
    return Artwork.objects.filter(key__in=decisions.values("artwork_key")).values("pk")


def _after(rows: QuerySet[Prediction], selection: Selection) -> QuerySet[Prediction]:
    """Leave out the works up to the one after which the queue continues."""
    whole = of_selection(replace(selection, label="", works=Works.ALL, work=""))
    last = whole.filter(artwork=selection.after).first() if selection.after else None
    if last is None:
        return rows
    name = SCORES[selection.order]
    score = getattr(last, name)
    return rows.filter(Q(**{f"{name}__lt": score}) | Q(**{name: score, "artwork_id__gt": selection.after}))


def _key(what: str, selection: Selection) -> str:
    named = replace(selection, after=0, reviewed=Reviewed.ANY)
    digest = hashlib.sha256(f"{selection.model.pk} {selection.model.record} {named.query}".encode()).hexdigest()
    return f"review-{what}-{digest}"
