"""Statistics of the decisions on a model: agreement, and the risk of its accepted predictions."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from art_pipeline.web.review.models import Action, Decision, Order
from art_pipeline.web.review.opinions import Verdict
from art_pipeline.web.review.selection import Works

CONFIDENCE = 0.95
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
OF_ALL = (Works.ALL, Works.ACCEPTED)  # works whose random sample has accepted predictions by chance alone


@dataclass(frozen=True)
class Share:
    """A share of predictions with its exact interval (Clopper & Pearson 1934).

    Attributes:
        name: What it is of.
        count: Predictions that count.
        total: Number of observations.
        expected: The share that the probabilities predict; None where it is not known.
    """

    name: str
    count: int
    total: int
    expected: float | None = None

    @property
    def value(self) -> float:
        """The share; NaN without any."""
        return self.count / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the interval of 95%."""
        return exact_interval(self.count, self.total)


@dataclass(frozen=True)
class Reviewed:
    """A predicted label that reviewers agree on.

    Attributes:
        label: The predicted label.
        probability: Its probability; None where it is not known.
        accepted: Whether the prediction was accepted.
        right: Whether the reviewers gave the label.
        audited: Whether the work was drawn at random.
    """

    label: str
    probability: float | None
    accepted: bool | None
    right: bool
    audited: bool


@dataclass(frozen=True)
class Audit:
    """The risk of accepted predictions, measured on works that were drawn at random.

    Attributes:
        wrong: Accepted predictions that are wrong.
        promised: The largest risk for which the threshold was chosen; None where the target is not known.
        works: Works of the sample that were decided on.
        undecided: Works of the sample on which reviewers cannot tell, or disagree; they do not count.
    """

    wrong: Share
    promised: float | None
    works: int
    undecided: int

    @property
    def state(self) -> str:
        """``kept``, ``broken`` or ``open``: whether the interval is below, above or around the promise."""
        low, high = self.wrong.interval
        if self.promised is None or not self.wrong.total:
            return "open"
        return "kept" if high <= self.promised else "broken" if low > self.promised else "open"

    @property
    def needed(self) -> int | None:
        """Accepted predictions that an audit without any error needs to show that the promise is kept."""
        if not self.promised:
            return None
        return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log(1 - self.promised))


@dataclass(frozen=True)
class Reviewer:
    """What one user decided.

    Attributes:
        name: The user.
        actions: Number of decisions in force by action.
        undone: Number of decisions that were taken back.
        agrees: How many of the labelled works have the predicted labels.
    """

    name: str
    actions: dict[str, int]
    undone: int
    agrees: Share


def exact_interval(count: int, total: int) -> tuple[float, float]:
    """Return the interval of Clopper & Pearson (1934) at 95%; 0 to 1 without any observation.

    >>> [round(end, 3) for end in exact_interval(0, 72)]
    [0.0, 0.05]
    """
    if not total:
        return 0.0, 1.0
    from scipy.stats import binomtest

    found = binomtest(count, total).proportion_ci(CONFIDENCE, method="exact")
    return float(found.low), float(found.high)


def reviewed_predictions(of_task: Iterable[Verdict], shown: Sequence[Decision]) -> list[Reviewed]:
    """Return the predicted labels of a model on which reviewers agree.

    Args:
        of_task: Verdicts on works in the task.
        shown: Decisions in force that were made on the model's predictions.
    """
    latest = {one.artwork_key: one for one in shown}
    audited = {one.artwork_key for one in shown if is_audit(one)}
    found: list[Reviewed] = []
    for verdict in of_task:
        agreed, page = verdict.agreed(), latest.get(verdict.artwork_key)
        if agreed and page:
            labels, drawn = set(agreed[-1].labels), verdict.artwork_key in audited
            found += [
                Reviewed(name, probability, accepted, name in labels, drawn)
                for name, probability, accepted in page.shown["predicted"]
            ]
    return found


def is_audit(decision: Decision) -> bool:
    """Return whether a work was drawn at random from all works, or from all with an accepted prediction."""
    shown = decision.shown
    return decision.order == Order.RANDOM and not shown.get("class") and shown.get("works") in OF_ALL


def audit(of_task: Iterable[Verdict], shown: Sequence[Decision], target: float | None) -> Audit:
    """Return the risk of accepted predictions, measured on the works that were drawn at random.

    Args:
        of_task: Verdicts on works in the task.
        shown: Decisions in force that were made on the model's predictions.
        target: The accuracy for which the thresholds were chosen.
    """
    of_task = list(of_task)
    drawn = {one.artwork_key for one in shown if is_audit(one)}
    agreed = {one.artwork_key for one in of_task if one.agreed()}
    accepted = [one for one in reviewed_predictions(of_task, shown) if one.audited and one.accepted]
    wrong = Share("wrong", sum(not one.right for one in accepted), len(accepted))
    return Audit(wrong, None if target is None else 1 - target, len(drawn & agreed), len(drawn - agreed))


def by_class(predictions: Iterable[Reviewed]) -> list[Share]:
    """Return how many predictions of each label reviewers agree with, by label."""
    predictions = list(predictions)
    totals, right = Counter(one.label for one in predictions), Counter(one.label for one in predictions if one.right)
    return [Share(name, right[name], totals[name]) for name in sorted(totals)]


def by_confidence(predictions: Iterable[Reviewed]) -> list[Share]:
    """Return how many predictions reviewers agree with by their probability, with its mean; only bins with any."""
    known = [(one.probability, one.right) for one in predictions if one.probability is not None]
    found = []
    for low, high in pairwise(BINS):
        own = [(value, right) for value, right in known if low <= value < high or value == high == 1]
        if own:
            mean = sum(value for value, _ in own) / len(own)
            found.append(Share(f"{100 * low:.0f} to {100 * high:.0f}%", sum(r for _, r in own), len(own), mean))
    return found


def by_user(decisions: Sequence[Decision]) -> list[Reviewer]:
    """Return what each user decided, by name.

    Args:
        decisions: All decisions on the model's predictions, undone or not, with ``user`` and ``undone_by``.
    """
    names = {one.user_id: one.user.get_username() for one in decisions}
    rows = [one for one in decisions if one.action != Action.UNDO]
    return [
        _reviewer(names[user], [one for one in rows if one.user_id == user])
        for user in sorted(names, key=lambda user: names[user])
    ]


def conflicts(of_task: Iterable[Verdict]) -> list[Verdict]:
    """Return the works to which reviewers give different labels."""
    return [one for one in of_task if one.is_conflict]


def _reviewer(name: str, rows: Sequence[Decision]) -> Reviewer:
    valid = [one for one in rows if not hasattr(one, "undone_by")]
    labelled = [one for one in valid if one.is_labelling]
    agrees = [one for one in labelled if sorted(one.labels) == sorted(label for label, _, _ in one.shown["predicted"])]
    share = Share(name, len(agrees), len(labelled))
    return Reviewer(name, Counter(one.action for one in valid), len(rows) - len(valid), share)
