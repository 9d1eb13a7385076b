"""The review queue: a work, a decision on it, and its undoing."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from art_pipeline.sources.columns import SEPARATOR
from art_pipeline.web.accounts.roles import can_review
from art_pipeline.web.catalogue.models import Artwork, Prediction, TrainedModel, Vocabulary
from art_pipeline.web.explore.metadata import source_address
from art_pipeline.web.maps.panes import shown as maps_shown
from art_pipeline.web.review import reasons
from art_pipeline.web.review.decide import LabelError, decided_labels, meanwhile, record_decision
from art_pipeline.web.review.decide import undo as undo_decision
from art_pipeline.web.review.models import Action, Decision, Order, Preference
from art_pipeline.web.review.opinions import Verdict, verdicts
from art_pipeline.web.review.queue import audit_sample, next_predictions, progress
from art_pipeline.web.review.selection import Reviewed, Selection, Works, read_selection
from art_pipeline.web.review.shown import facts_of, read_token, sign

LATEST = 5  # own decisions that are listed, to undo
SUGGESTED = 1000  # labels in the completion
LIKELY = 5  # labels with a button or a tick
STALE = "This form is out of date, or it was changed. Nothing was recorded; please look at the work again."


def for_reviewers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask for an account that may review."""

    @never_cache
    @login_required
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not can_review(request.user):
            raise PermissionDenied("Reviewing needs the role of a cataloguer. Ask an administrator for it.")
        return view(request, *args, **kwargs)

    return checked


@require_safe
@for_reviewers
def queue(request: HttpRequest) -> HttpResponse:
    """Show the next work to review."""
    selection, problems = read_selection(request.GET)
    for problem in problems:
        messages.warning(request, problem)
    if selection is None:
        return render(request, "review/no_models.html")
    return _show(request, selection)


@require_POST
@for_reviewers
def decide(request: HttpRequest) -> HttpResponse:
    """Record a decision, and go to the next work."""
    selection, _ = read_selection(QueryDict(request.POST.get("selection", "")))
    facts = read_token(request.POST.get("shown", ""), request.user.pk)
    chosen = request.POST.get("choose")  # a button of a likely label
    action = Action.OVERRULE if chosen else request.POST.get("action", "")
    if selection is None or facts is None or action not in {one.value for one in Action} - {Action.UNDO}:
        messages.error(request, STALE)
        return _go(selection) if selection else redirect("review:queue")
    vocabulary = get_object_or_404(Vocabulary, name=facts["task"])
    typed = request.POST.get("label", "").split(SEPARATOR)
    given = [chosen] if chosen else [*request.POST.getlist("labels"), *typed]
    try:
        confirmed = "confirm" in request.POST
        labels = decided_labels(action, facts, given, vocabulary, confirmed=confirmed)
    except LabelError as problem:
        return _show_again(request, selection, facts, problem, given)
    decision, _ = record_decision(request.user, facts, action, labels, request.POST.get("note", ""))
    for sentence in meanwhile(decision):
        messages.warning(request, sentence)
    artwork = Artwork.objects.filter(key=facts["artwork"]).first()
    return _go(selection.following(artwork.pk if artwork else 0))


@require_POST
@for_reviewers
def undo(request: HttpRequest) -> HttpResponse:
    """Take back a decision of the user's own, and show its work again."""
    number = request.POST.get("decision", "")
    decision = get_object_or_404(Decision, pk=int(number) if number.isdecimal() else 0, user=request.user)
    if decision.action == Action.UNDO or undo_decision(decision) is None:
        messages.warning(request, "That decision was taken back before.")
    else:
        messages.success(request, f"Taken back: {decision.text}.")
    selection, _ = read_selection(QueryDict(request.POST.get("selection", "")))
    if selection is None:
        return redirect("review:queue")
    return _go(replace(selection, work=decision.artwork_key))


@require_POST
@for_reviewers
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Switch the user's single-key shortcuts on or off."""
    Preference.objects.update_or_create(user=request.user, defaults={"shortcuts": request.POST.get("on") == "1"})
    selection, _ = read_selection(QueryDict(request.POST.get("selection", "")))
    return _go(selection) if selection else redirect("review:queue")


def _go(selection: Selection) -> HttpResponseRedirect:
    work = f"&work={selection.work}" if selection.work else ""
    return HttpResponseRedirect(f"{reverse('review:queue')}?{selection.query}{work}")


def _show(request: HttpRequest, selection: Selection) -> HttpResponse:
    """Render the page of the first work of a selection, if there is one."""
    found = next_predictions(selection, request.user.pk)
    context = _page(request, selection)
    if found:
        first, *others = found
        verdict = _verdict(first.artwork.key, selection.task.name)
        facts = facts_of(first, selection, verdict)
        context |= _work(first.artwork, facts, selection.task, _position(first, selection))
        context |= {"token": sign(facts, request.user.pk), "next": others[0] if others else None}
        context["verdict"] = verdict if facts["settles"] else None
    return render(request, "review/queue.html", context)


def _show_again(
    request: HttpRequest, selection: Selection, facts: dict[str, Any], problem: LabelError, given: list[str]
) -> HttpResponse:
    """Render the page of a work as it was shown, with the problem of what was sent."""
    artwork = get_object_or_404(Artwork.objects.select_related("image"), key=facts["artwork"])
    context = _page(request, selection) | _work(artwork, facts, get_object_or_404(Vocabulary, name=facts["task"]))
    context |= {"token": request.POST["shown"], "problem": problem, "given": given}
    context |= {"typed": request.POST.get("label", ""), "note": request.POST.get("note", "")}
    return render(request, "review/queue.html", context, status=400)


def _page(request: HttpRequest, selection: Selection) -> dict[str, Any]:
    """Return what the page shows besides the work."""
    return _choices(selection) | {
        "selection": selection,
        "progress": progress(selection, request.user.pk),
        "latest": _latest(request.user.pk),
        "shortcuts": Preference.shortcuts_of(request.user),
    }


def _choices(selection: Selection) -> dict[str, Any]:
    """Return what the form of the selection offers."""
    current = TrainedModel.objects.filter(is_current=True).select_related("vocabulary").order_by("name")
    tasks: dict[str, Vocabulary] = {one.vocabulary.name: one.vocabulary for one in current}
    return {
        "tasks": tasks.values(),
        "models": [one for one in current if one.vocabulary_id == selection.task.pk],
        "classes": sorted(selection.model.classes),
        "orders": Order.choices(),
        "works": Works.choices(),
        "reviewed": Reviewed.choices(),
        "seed": str(selection.seed),
        "summary": _summary(selection),
    }


def _summary(selection: Selection) -> list[str]:
    parts = [str(selection.task), selection.model.name, selection.order.label]
    parts += [selection.label] if selection.label else []
    return [*parts, selection.works.label, selection.reviewed.label]


def _work(artwork: Artwork, facts: dict[str, Any], task: Vocabulary, position: str = "") -> dict[str, Any]:
    """Return what the page shows of a work."""
    predicted = [name for name, _, _ in facts["predicted"]]
    suggestions = task.terms.order_by("-artworks_count", "name").values_list("name", flat=True)[:SUGGESTED]
    return {
        "artwork": artwork,
        "source_address": source_address(artwork),
        "facts": facts,
        "task": task,
        "reason": reasons.reason(facts, position),
        "worth": reasons.worth(facts),
        "risk": reasons.risk(facts),
        "origin": reasons.origin(facts),
        "likely": _likely(facts, predicted),
        "predicted": predicted,
        "agrees": sorted(predicted) == facts["recorded"],
        "suggestions": list(suggestions),
        "maps": maps_shown(artwork, facts["model"]),
    }


def _likely(facts: dict[str, Any], predicted: list[str]) -> list[dict[str, Any]]:
    """Return the labels that the page shows with their probabilities; of a multi-label task those to tick too."""
    probabilities = dict(facts["likely"])
    names = [*probabilities][:LIKELY]
    names += [name for name in (*predicted, *facts["recorded"]) if name not in names]
    return [
        {
            "name": name,
            "value": "" if probabilities.get(name) is None else f"{probabilities[name]:.4f}",
            "percent": reasons.percent_or_little(probabilities.get(name)),
            "predicted": name in predicted,
            "recorded": name in facts["recorded"],
        }
        for name in dict.fromkeys(names)
    ]


def _position(prediction: Prediction, selection: Selection) -> str:
    if selection.work or selection.order != Order.RANDOM:
        return ""
    sample = audit_sample(selection)
    return f"{sample.index(prediction.artwork_id) + 1} of {len(sample)}" if prediction.artwork_id in sample else ""


def _verdict(key: str, task: str) -> Verdict | None:
    found = verdicts(Decision.objects.in_force().filter(artwork_key=key, task=task).select_related("user"))
    return found[0] if found else None


def _latest(user: int) -> list[Decision]:
    """Return the user's latest decisions that can be undone, each with the ``title`` of its work."""
    found = list(Decision.objects.in_force().filter(user=user).order_by("-pk")[:LATEST])
    titles = dict(Artwork.objects.filter(key__in=[one.artwork_key for one in found]).values_list("key", "title"))
    for one in found:
        one.title = titles.get(one.artwork_key, one.artwork_key)
    return found
