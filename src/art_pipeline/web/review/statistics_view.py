"""The page of statistics."""

import math
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from art_pipeline.common.numbers import percent
from art_pipeline.evaluation.report.formatting import TO
from art_pipeline.web.catalogue.models import Artwork, TrainedModel, Vocabulary
from art_pipeline.web.review.models import Action, Decision
from art_pipeline.web.review.opinions import Verdict, verdicts
from art_pipeline.web.review.selection import read_selection
from art_pipeline.web.review.statistics import (
    Audit,
    Reviewer,
    Share,
    audit,
    by_class,
    by_confidence,
    by_user,
    conflicts,
    reviewed_predictions,
)
from art_pipeline.web.review.views import for_reviewers

COUNTED = (Action.ACCEPT, Action.KEEP, Action.OVERRULE, Action.UNSURE, Action.SKIP)
SHOWN_CONFLICTS = 100


@require_safe
@for_reviewers
def statistics(request: HttpRequest) -> HttpResponse:
    """Show how far reviewers agree with a model, and the risk of its accepted predictions."""
    selection, _ = read_selection(request.GET)
    if selection is None:
        return render(request, "review/no_models.html")
    model = _version(selection.model, request.GET.get("record", ""))
    context = {
        "model": model,
        "tasks": Vocabulary.objects.filter(models__is_current=True).distinct(),
        "models": selection.task.models.filter(is_current=True).order_by("name"),
        "versions": _versions(selection.model),
    }
    return render(request, "review/statistics.html", context | _numbers(model))


def _version(current: TrainedModel, record: str) -> TrainedModel:
    return TrainedModel.objects.filter(name=current.name, record=record).first() or current


def _versions(current: TrainedModel) -> list[TrainedModel]:
    return list(TrainedModel.objects.filter(name=current.name).order_by("-is_current", "-id"))


def _numbers(model: TrainedModel) -> dict[str, Any]:
    task = model.vocabulary.name
    of_task = verdicts(Decision.objects.in_force().filter(task=task).select_related("user"))
    of_model = list(
        Decision.objects.filter(task=task, model=model.name, record=model.record).select_related("user", "undone_by")
    )
    shown = [one for one in of_model if one.action != Action.UNDO and not hasattr(one, "undone_by")]
    predictions = reviewed_predictions(of_task, shown)
    found = conflicts(of_task)
    return {
        "decided": len({one.artwork_key for one in shown if one.is_labelling}),
        "agreement": _row(Share("all", sum(one.right for one in predictions), len(predictions))),
        "audit": _audit(audit(of_task, shown, model.thresholds.get("target"))),
        "classes": [_row(one) for one in by_class(predictions)],
        "bins": [_row(one) for one in by_confidence(predictions)],
        "reviewers": [_reviewer(one) for one in by_user(of_model)],
        "conflicts": _conflicts(found[:SHOWN_CONFLICTS]),
        "conflict_count": len(found),
    }


def _row(share: Share) -> dict[str, Any]:
    """Return a share as texts, and as positions in a drawing of 100 units."""
    low, high = share.interval
    return {
        "name": share.name,
        "count": f"{share.count:,}",
        "total": f"{share.total:,}",
        "value": TO if math.isnan(share.value) else percent(share.value),
        "interval": f"{percent(low)} to {percent(high)}" if share.total else TO,
        "expected": "" if share.expected is None else percent(share.expected),
        "drawn": share.total > 0,
        "low": f"{100 * low:.2f}",
        "high": f"{100 * high:.2f}",
        "width": f"{100 * (high - low):.2f}",
        "at": f"{100 * (share.value if share.total else 0):.2f}",
        "mark": "" if share.expected is None else f"{100 * share.expected:.2f}",
    }


def _audit(found: Audit) -> dict[str, Any]:
    promised = found.promised
    row = _row(Share("risk", found.wrong.count, found.wrong.total, promised))
    needed = found.needed
    return row | {
        "works": f"{found.works:,}",
        "undecided": f"{found.undecided:,}" if found.undecided else "",
        "state": found.state,
        "promised": "" if promised is None else percent(promised),
        "needed": "" if needed is None else f"{needed:,}",
    }


def _reviewer(one: Reviewer) -> dict[str, Any]:
    counts = [f"{one.actions.get(action, 0):,}" for action in COUNTED]
    return {"name": one.name, "counts": counts, "undone": f"{one.undone:,}", "agrees": _row(one.agrees)}


def _conflicts(found: list[Verdict]) -> list[dict[str, Any]]:
    artworks = Artwork.objects.filter(key__in=[one.artwork_key for one in found]).select_related("image")
    by_key = {one.key: one for one in artworks}
    return [{"verdict": one, "artwork": by_key.get(one.artwork_key)} for one in found]
