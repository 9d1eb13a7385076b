"""Which works the queue shows, and in which order: the query parameters of the page."""

from dataclasses import dataclass, replace
from typing import Self, TypeVar
from urllib.parse import urlencode

from django.http import QueryDict

from art_pipeline.web.catalogue.models import TrainedModel, Vocabulary
from art_pipeline.web.catalogue.ranking import models_by_task
from art_pipeline.web.review.models import Choice, Order

MAX_SEED = 2**31
C = TypeVar("C", bound=Choice)


class Works(Choice):
    """Which works are in the queue."""

    ALL = "all", "All works"
    REJECTED = "rejected", "Only those whose prediction is not accepted"
    ACCEPTED = "accepted", "Only those whose prediction is accepted"
    DISAGREE = "disagree", "Only those whose prediction differs from the record"


class Reviewed(Choice):
    """Which works a queue leaves out, as they were reviewed."""

    MINE = "mine", "Not yet reviewed by me"
    NOBODY = "nobody", "Not yet reviewed by anyone"
    ANY = "any", "Reviewed or not"


@dataclass(frozen=True)
class Selection:
    """A selection of works.

    Attributes:
        model: Whose predictions are reviewed.
        label: Only works for which it is predicted; empty for all.
        seed: Random seed of the order ``random``.
        work: Key of a single artwork to show, whatever the other values.
        after: Row of the artwork after which the queue continues, where reviewed works are not left out; 0 for none.
    """

    model: TrainedModel
    label: str = ""
    order: Order = Order.UNCERTAIN
    works: Works = Works.ALL
    reviewed: Reviewed = Reviewed.MINE
    seed: int = 0
    work: str = ""
    after: int = 0

    @property
    def task(self) -> Vocabulary:
        """The task."""
        return self.model.vocabulary

    @property
    def query(self) -> str:
        """The query parameters, without those of a single work."""
        values = {"task": self.task.name, "model": self.model.name, "class": self.label}
        values |= {"order": self.order, "works": self.works, "reviewed": self.reviewed}
        values |= {"seed": str(self.seed) if self.order == Order.RANDOM else "", "after": str(self.after or "")}
        return urlencode({name: str(value) for name, value in values.items() if value})

    def following(self, artwork: int) -> Self:
        """Return the selection after a work of it was decided."""
        return replace(self, work="", after=artwork if self.reviewed == Reviewed.ANY else 0)


def read_selection(query: QueryDict) -> tuple[Selection | None, list[str]]:
    """Return the selection of query parameters, and a sentence for each that was not usable.

    Returns:
        None where no model is imported.
    """
    problems: list[str] = []
    models_ = [model for _, models in models_by_task() for model in models]
    if not models_:
        return None, problems
    model = _model(models_, query, problems)
    label = query.get("class", "")
    if label and not model.vocabulary.terms.filter(name=label).exists():
        problems.append(f"{model.vocabulary} has no label {label!r}; the works of all labels are shown.")
        label = ""
    return Selection(
        model,
        label,
        _choice(Order, query.get("order"), Order.UNCERTAIN, problems),
        _choice(Works, query.get("works"), Works.ALL, problems),
        _choice(Reviewed, query.get("reviewed"), Reviewed.MINE, problems),
        _number(query.get("seed"), problems),
        query.get("work", "")[:80],
        _number(query.get("after"), problems),
    ), problems


def _model(models_: list[TrainedModel], query: QueryDict, problems: list[str]) -> TrainedModel:
    """Return the model that is asked for; else the first of the task, or of all."""
    task, name = query.get("task", ""), query.get("model", "")
    of_task = [one for one in models_ if one.vocabulary.name == task]
    if task and not of_task:
        problems.append(f"There is no task {task!r} with a model; {models_[0].vocabulary} is shown.")
    candidates = of_task or models_
    found = next((one for one in candidates if one.name == name), None)
    if name and not found and not any(one.name == name for one in models_):
        problems.append(f"There is no model {name!r}; {candidates[0]} is shown.")
    return found or candidates[0]


def _choice(kind: type[C], value: str | None, default: C, problems: list[str]) -> C:
    known = {one.value: one for one in kind}
    if value and value not in known:
        problems.append(f"{value!r} is not one of {', '.join(known)}; {default} is used.")
    return known.get(value or "", default)


def _number(value: str | None, problems: list[str]) -> int:
    try:
        number = int(value or 0)
    except ValueError:
        number = -1
    if 0 <= number < MAX_SEED:
        return number
    problems.append(f"{value!r} is not a number from 0 to {MAX_SEED - 1:,}; 0 is used.")
    return 0
